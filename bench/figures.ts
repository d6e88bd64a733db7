// The figures that the benchmark takes, with their unit, their better direction and how they are printed.
//
// Everything downstream (tables, charts, ratios, targets) works from this list: a new figure is one row here
// and one line where it is measured. A sample holds the figures of one contestant in one round; a figure that
// does not apply (CPU of `direct`, latency of an idle process) is absent, never zero.

export type FigureName =
  | "cpuMicros"
  | "requestsPerSecond"
  | "p50Ms"
  | "p99Ms"
  | "p999Ms"
  | "rssBytes"
  | "idleRssBytes"
  | "idlePssBytes"
  | "idleConnectionBytes"
  | "othersPercent";

export interface Figure {
  readonly title: string;
  readonly better: "lower" | "higher";
  readonly print: (value: number) => string;
}

/** What one contestant did in one round. */
export type Sample = Partial<Record<FigureName, number>>;

export const FIGURES: Readonly<Record<FigureName, Figure>> = {
  cpuMicros: { title: "CPU µs/request", better: "lower", print: threeDigits },
  requestsPerSecond: { title: "requests/s", better: "higher", print: wholeNumber },
  p50Ms: { title: "p50 ms", better: "lower", print: threeDigits },
  p99Ms: { title: "p99 ms", better: "lower", print: threeDigits },
  p999Ms: { title: "p99.9 ms", better: "lower", print: threeDigits },
  rssBytes: { title: "RSS MB", better: "lower", print: megabytes },
  idleRssBytes: { title: "idle RSS MB", better: "lower", print: megabytes },
  idlePssBytes: { title: "idle PSS MB", better: "lower", print: megabytes },
  idleConnectionBytes: { title: "KB per idle connection", better: "lower", print: kilobytes },
  // How far to trust the row: other programs on the proxy's core, or a virtual machine's neighbours.
  othersPercent: { title: "others on the core %", better: "lower", print: wholeNumber },
};

/** Three significant digits where they matter: 0.123, 1.23, 12.3, 123. */
function threeDigits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

function wholeNumber(value: number): string {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

function megabytes(bytes: number): string {
  return threeDigits(bytes / 1024 / 1024);
}

function kilobytes(bytes: number): string {
  return threeDigits(bytes / 1024);
}
