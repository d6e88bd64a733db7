// Prometheus text, read for what a test wants to know: one figure, summed over the labels it does not name.

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export function parseMetrics(text: string): Sample[] {
  return [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)/gm)].map(([, name, labels = "", value]) => ({
    name: name!,
    labels: Object.fromEntries(
      [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, label]) => [key!, label!]),
    ),
    value: Number(value),
  }));
}

/** Sum of a metric's series with these labels; null when there is no such series. */
export function sumOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | null {
  const wanted = Object.entries(labels);
  const series = samples.filter((sample) =>
    sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value)
  );
  return series.length === 0 ? null : series.reduce((sum, { value }) => sum + value, 0);
}
