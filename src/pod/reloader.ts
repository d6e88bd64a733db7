// A reload from its occasion to its last word: load, judge, tell the difference, hand it to the pod.
//
// Occasions are a change of the file and SIGHUP. It always holds that a configuration that is refused changes
// nothing, and that every reload leaves one event and one `lastReload`, which metrics and dashboard show.

import { configDiff, fixedDiff, withFixedOf } from "../config/diff.ts";
import { firstOf, renderFinding } from "../config/findings.ts";
import { lint, type LintFinding, renderLintFinding } from "../lint/lint.ts";
import type { Loaded, Refused } from "../config/loading.ts";
import type { ReloadInfo } from "../admin/view.ts";
import { messageOf } from "../error_message.ts";
import { routeNames } from "../routing/default_route.ts";
import type { EventBook } from "./event_book.ts";
import { FilesRefusedError } from "./pod_files.ts";

/** What is reloaded. */
export interface Reloadable {
  readonly loaded: Loaded;
  lastReload: ReloadInfo | null;
  /**
   * @returns what has changed in files that it names, in words
   * @throws when it cannot be taken over; then nothing has changed
   */
  reload(loaded: Loaded): Promise<readonly string[]>;
}

export interface ReloaderInputs {
  readonly pod: Reloadable;
  readonly load: () => Promise<Loaded | Refused>;
  readonly events: EventBook;
  /** Milliseconds since 1970. */
  readonly date: () => number;
}

export class Reloader {
  private running: Promise<void> | null = null;
  private again: string | null = null;
  /** Refuses the one under way. */
  private giveUp: (why: Error) => void = () => {};

  constructor(private readonly inputs: ReloaderInputs) {}

  /** Reloads; what asks while one is under way is answered by one more after it. @param why the occasion */
  request(why: string): void {
    if (this.running !== null) {
      this.again = why;
      return;
    }
    this.running = this.reload(why).finally(() => {
      this.running = null;
      const next = this.again;
      this.again = null;
      if (next !== null) this.request(next);
    });
  }

  /** Settles when no reload is under way. */
  async idle(): Promise<void> {
    while (this.running !== null) await this.running;
  }

  /** The process has stopped: a reload comes to nothing, whatever it waits for. Settles when that is told. */
  async stop(): Promise<void> {
    this.again = null;
    this.giveUp(new Error("this process has stopped meanwhile"));
    await this.idle();
  }

  /** Never rejects: what nobody foresaw refuses a reload, and ends no pod. */
  private async reload(why: string): Promise<void> {
    const { promise: stopped, reject } = Promise.withResolvers<never>();
    this.giveUp = reject;
    try {
      const next = await Promise.race([this.inputs.load(), stopped]);
      if (!next.ok) this.refuse(why, next.findings.map(renderFinding));
      else await Promise.race([this.takeOver(why, next), stopped]);
    } catch (error) {
      this.refuse(why, problemsOf(error));
    }
  }

  private async takeOver(why: string, next: Loaded): Promise<void> {
    const { pod } = this.inputs;
    const fixed = fixedDiff(pod.loaded.config, next.config);
    const usable = withFixedOf(pod.loaded, next);
    // What is taken over now, and what a restart would make of it.
    const problems = newProblems(pod.loaded, fixed.length === 0 ? [usable] : [usable, next]);
    if (problems.length > 0) return this.refuse(why, problems);
    const changes = configDiff(pod.loaded.config, usable.config);
    const inFiles = await pod.reload(usable);
    this.accept(why, [...firstOf(changes), ...firstOf(inFiles)], fixed);
  }

  private refuse(why: string, problems: readonly string[]): void {
    const { pod, events, date } = this.inputs;
    const findings = firstOf(problems);
    pod.lastReload = { ok: false, at: date(), findings };
    events.add("reload", "bad", `${why}: refused, the old configuration stays: ${findings.join("; ")}`);
  }

  private accept(why: string, changes: readonly string[], fixed: readonly string[]): void {
    const { pod, events, date } = this.inputs;
    const waiting = fixed.map((phrase) => `takes a restart: ${phrase}`);
    pod.lastReload = { ok: true, at: date(), findings: waiting };
    const words = changes.length === 0 ? ["nothing changed"] : changes;
    events.add("reload", "good", `${why}: applied: ${[...words, ...waiting].join("; ")}`);
  }
}

function problemsOf(error: unknown): string[] {
  if (error instanceof FilesRefusedError) return error.findings.map(renderFinding);
  return [messageOf(error)];
}

/** Errors of reason that the configuration in use does not have: a running pod is not led into those. */
function newProblems(before: Loaded, after: readonly Loaded[]): string[] {
  if (after.some(({ config }) => Object.keys(config.upstreams).length === 0)) {
    return ["upstreams is empty, must name one at least"];
  }
  const known = errorsIn(before);
  const found = new Map(after.flatMap((loaded) => [...errorsIn(loaded)]));
  return [...found].filter(([identity]) => !known.has(identity))
    .map(([, finding]) => renderLintFinding(finding).replaceAll(/\n\s*/g, ", "));
}

/** By what makes an error the same one in another configuration: its rule and its key, a route by its name. */
function errorsIn({ config, placeOf, origins }: Loaded): Map<string, LintFinding> {
  const names = routeNames(config.routes);
  const identity = ({ rule, path }: LintFinding) =>
    JSON.stringify([
      rule,
      ...path.map((step, i) =>
        typeof step === "string" ? step : path[i - 1] === "routes" ? names[step] : "[]"
      ),
    ]);
  return new Map(
    lint(config, { placeOf, origins }).filter(({ severity }) => severity === "error")
      .map((finding) => [identity(finding), finding]),
  );
}
