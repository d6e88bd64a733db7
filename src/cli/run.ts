// The commands `weir start` and `weir run`: a pod from its first line to its last.

import { lint, renderLintFinding } from "../lint/lint.ts";
import { isFifo, type ReadTextFile, readTextFileBounded, rereadTextFile } from "../config/file.ts";
import { renderFindings } from "../config/findings.ts";
import { loadConfigApart } from "../config/load_apart.ts";
import type { Loaded, Refused } from "../config/loading.ts";
import { systemClock } from "../control/clock.ts";
import { ConfigWatcher } from "../control/config_watcher.ts";
import { identifyFile } from "../control/file_watch.ts";
import { LineWriter } from "../control/line_writer.ts";
import { hasThreadRoom, NoThreadRoomError } from "../control/thread_room.ts";
import { messageOf } from "../error_message.ts";
import { EventBook } from "../pod/event_book.ts";
import { Pod } from "../pod/pod.ts";
import { FilesRefusedError } from "../pod/pod_files.ts";
import type { PodInputs } from "../pod/pod_inputs.ts";
import { Reloader } from "../pod/reloader.ts";
import { startSampleOrigins } from "../samples/sample_origins.ts";
import { banner } from "./banner.ts";
import { hasUpstreams, loadOrRefuse } from "./load.ts";
import { Opening } from "./opening.ts";
import { complain } from "./print.ts";
import { Hangups, type Signals } from "./signals.ts";

export interface RunInputs {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly signals: Signals;
  /** Whether a start without upstreams and without a file balances over sample origins, or is refused. */
  readonly sampleOrigins: boolean;
  /** What tests replace: the module of the workers, and how soon one is given up. */
  readonly workerModule?: URL;
  readonly supervision?: PodInputs["supervision"];
}

/** Serves until a signal, then leaves. Exit 0; 1 when it cannot start or hangs; 64 when it must not start. */
export async function run(inputs: RunInputs): Promise<number> {
  const hangups = new Hangups(inputs.signals);
  const stopped = new Promise<boolean>((resolve) => inputs.signals.onStop(resolve));
  const source = await Promise.race([firstLoad(inputs), stopped]);
  if (source === null) return 64;
  // Told to stop before there was anything to stop.
  if (typeof source === "boolean") return 0;
  const { loaded } = source;
  const out = new LineWriter(Deno.stdout);
  const opening = new Opening(() => banner(pod), (text) => out.write(text), systemClock);
  const events = new EventBook(Date.now, (line) => opening.say(line + "\n"));
  const pod: Pod = new Pod({
    loaded,
    clock: systemClock,
    events,
    readTextFile: readTextFileBounded,
    rereadTextFile,
    writeLog: (lines) => out.write(lines),
    logLinesDropped: () => out.dropped,
    instance: crypto.randomUUID().slice(0, 8),
    stickyKey: inputs.env["WEIR_STICKY_KEY"] ?? "",
    environment: inputs.env,
    onFirstWord: (listening) => opening.firstWord(listening),
    workerModule: inputs.workerModule ?? new URL("../worker.ts", import.meta.url),
    ...(inputs.supervision === undefined ? {} : { supervision: inputs.supervision }),
  });
  const ended = await begin(pod, events, stopped, opening);
  if (ended !== null) {
    await out.flush();
    return ended;
  }
  warn(loaded);
  const reloading = keepReloading(pod, events, source.again, hangups);
  const { hurry, code } = await Promise.race([
    stopped.then((hurry) => ({ hurry: hurry || !opening.listened, code: 0 })),
    // Nothing to be polite about when nobody serves any more.
    pod.failure.then(() => ({ hurry: pod.supervisor.servingCount === 0, code: 1 })),
  ]);
  opening.end();
  reloading.beginNoMore();
  await leave(pod, hurry);
  await reloading.stop();
  await out.flush();
  // Last and not waited for: a look at files on a network may be waiting for an answer.
  void reloading.watcher?.close();
  void pod.certificate?.stop();
  return code;
}

/** Starts the pod. @returns null, or the exit code of one that is told to stop before it has started, or cannot start */
async function begin(
  pod: Pod,
  events: EventBook,
  stopped: Promise<unknown>,
  opening: Opening,
): Promise<number | null> {
  try {
    const started = await Promise.race([pod.start().then(() => true), stopped.then(() => false)]);
    if (started) return null;
    opening.end();
    events.add("drain", "neutral", "leaving: the start is given up, nobody was served yet");
    await pod.stop();
    return 0;
  } catch (error) {
    opening.end();
    const refused = error instanceof FilesRefusedError;
    if (refused) complain(renderFindings(error.findings).trimEnd());
    else complain(messageOf(error));
    await pod.stop();
    return refused ? 64 : 1;
  }
}

/**
 * Readiness fails, traffic goes on for the drain delay unless there is none or a hurry, then what is in flight
 * finishes.
 */
async function leave(pod: Pod, hurry: boolean): Promise<void> {
  const delayMs = hurry ? 0 : pod.config.drain.delayMs;
  pod.leave(delayMs);
  await new Promise<void>((resolve) => setTimeout(resolve, delayMs));
  await pod.drain();
}

/** A configuration, and the way to load it again from the same sources. */
interface Source {
  readonly loaded: Loaded;
  readonly again: (readTextFile: ReadTextFile) => Promise<Loaded | Refused>;
}

async function firstLoad({ args, env, sampleOrigins }: RunInputs): Promise<Source | null> {
  const again = (fallbackUpstreams: readonly string[]): Source["again"] => (readTextFile) =>
    loadConfigApart({ args, env, readTextFile, fallbackUpstreams });
  const loaded = await loadOrRefuse(args, env);
  if (loaded === null) return null;
  const nothingConfigured = loaded.file === undefined && Object.keys(loaded.config.upstreams).length === 0;
  if (!sampleOrigins || !nothingConfigured) {
    return hasUpstreams(loaded) ? { loaded, again: again([]) } : null;
  }
  const { urls } = await startSampleOrigins();
  const withSamples = await loadOrRefuse(args, env, urls);
  return withSamples && { loaded: withSamples, again: again(urls) };
}

/** Reloads on SIGHUP and when the file changes, until it is stopped. */
function keepReloading(pod: Pod, events: EventBook, again: Source["again"], hangups: Hangups) {
  const { file, text = null } = pod.loaded;
  const watcher = file === undefined ? null : new ConfigWatcher(
    file,
    text,
    {
      clock: systemClock,
      readTextFile: rereadTextFile,
      identify: identifyFile,
      isFifo,
    },
    () => stopped || reloader.request(`${file} changed`),
  );
  const load = async () => {
    if (hasThreadRoom()) return await again(watcher === null ? readTextFileBounded : () => watcher.read());
    watcher?.forget();
    throw new NoThreadRoomError();
  };
  const reloader = new Reloader({ pod, load, events, date: Date.now });
  let stopped = false;
  hangups.tell(() => stopped || reloader.request("SIGHUP"));
  return {
    watcher,
    beginNoMore: () => void (stopped = true),
    stop: () => reloader.stop(),
  };
}

/** What is valid but will bite is said once, at start; it keeps nobody from starting. */
function warn(loaded: Loaded): void {
  const findings = lint(loaded.config, { placeOf: loaded.placeOf, origins: loaded.origins });
  for (const finding of findings) complain(renderLintFinding(finding));
}
