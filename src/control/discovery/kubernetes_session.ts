// One conversation with the API server: list the EndpointSlices of a Service, then watch them change.
//
// Called by `KubernetesDiscovery`, which decides when to talk again. The mirror holds the slices between
// conversations; a watch resumes where the last one ended, and lists anew only when the server has forgotten
// that place or said something that makes no sense. Every wait has a deadline, as a peer that vanished
// without a word looks like one that has nothing to say.
//
// https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes

import type { Clock } from "../clock.ts";
import type { KubernetesApi } from "./kubernetes_api.ts";
import { Backlog } from "./kubernetes_backlog.ts";
import { Ending, endOf, endOfStatus, garbled, parsed, type SessionEnd } from "./kubernetes_ending.ts";
import { linesOf, textOf } from "./kubernetes_lines.ts";
import { type Slice, sliceIn } from "./kubernetes_slices.ts";

export interface SessionInputs {
  readonly api: Pick<KubernetesApi, "get" | "server" | "namespace" | "close">;
  readonly clock: Clock;
}

/** Slices in one page of a list: at most 1,000 endpoints each, so some 10 MB. */
const LIST_PAGE_SLICES = 50;
/** An object of the API is at most 1.5 MB in etcd; JSON with managed fields is larger. */
const LINE_BYTES_MAX = 8 * 1024 * 1024;
const LIST_PAGE_BYTES_MAX = 64 * 1024 * 1024;
const REFUSAL_BYTES_MAX = 65_536;
const RETRY_AFTER_S_MAX = 60;
/** For a list as a whole, and for the head of a watch. */
const ANSWER_DEADLINE_MS = 30_000;
/** A watch is asked to last 2 to 3 minutes: pods do not return in step. */
const WATCH_SECONDS_MIN = 120;
const WATCH_SECONDS_SPREAD = 60;
/**
 * An API server sends a bookmark each minute where nothing happens. One that sends none, of which it has the right, may as
 * well be gone, or have been set back to a time before the place that the watch resumed from, and never come to it.
 */
const WATCH_SILENCE_MS = 90_000;

export class SliceMirror {
  /** By name. As the server last said, but for the backlog. */
  private readonly slices = new Map<string, Slice>();
  private readonly backlog = new Backlog();
  private spoil: (cause: unknown) => void = () => {};
  /** Where to resume; null when a list is needed. */
  private resourceVersion: string | null = null;

  constructor(
    private readonly service: string,
    /** null: the namespace of this pod. */
    private readonly namespace: string | null,
    private readonly inputs: SessionInputs,
  ) {}

  /** Takes over what another mirror of the same Service holds, before the first talk. */
  goOnFrom(other: SliceMirror): void {
    for (const slice of other.current()) this.slices.set(slice.name, slice);
    this.resourceVersion = other.resourceVersion;
  }

  /**
   * Talks until the server ends it, something fails or `signal` aborts. `onHeard` is called each time the
   * server spoke and the mirror is as it said: after the list, when the watch is open, after each event.
   */
  async talk(
    onHeard: (what: "listed" | "watching" | "event") => void,
    signal: AbortSignal,
  ): Promise<SessionEnd> {
    const resumes = this.resourceVersion !== null;
    const end = await this.talkOnce(onHeard, signal);
    // No failure to wait after: an API server that has been away remembers no place from before.
    return end.kind === "expired" && resumes ? await this.talkOnce(onHeard, signal) : end;
  }

  private async talkOnce(...[onHeard, signal]: Parameters<SliceMirror["talk"]>): Promise<SessionEnd> {
    try {
      if (this.resourceVersion === null) {
        await this.withDeadline(signal, ({ signal }) => this.list(signal));
        onHeard("listed");
      }
      const seconds = WATCH_SECONDS_MIN + Math.floor(WATCH_SECONDS_SPREAD * this.inputs.clock.random());
      await this.withDeadline(
        signal,
        (conversation, heard) =>
          this.watch(seconds, (what) => {
            heard();
            onHeard(what);
          }, conversation),
      );
      return { kind: "ended" };
    } catch (cause) {
      const end = endOf(cause);
      if (end.kind === "expired" || end.kind === "garbled" || end.kind === "silent") this.listNext();
      return end;
    }
  }

  /** The slices now. What makes no sense among the newest events ends the conversation, and the rest counts. */
  current(): Iterable<Slice> {
    try {
      this.catchUp();
    } catch (cause) {
      this.spoil(cause);
    }
    return this.slices.values();
  }

  /** And forgets what still waits: read before the list, it would name a place to resume from. */
  private listNext(): void {
    this.backlog.clear();
    this.resourceVersion = null;
  }

  private catchUp(): void {
    for (const line of this.backlog.take()) this.apply(parsed(line) as WatchEvent | null);
  }

  private async list(signal: AbortSignal): Promise<void> {
    const found = new Map<string, Slice>();
    let resourceVersion = "";
    let next = "";
    do {
      const page = await this.page(next, signal);
      for (const item of page.items ?? []) {
        const slice = sliceIn(item);
        if (slice === null) throw garbled("a list held an object without a name");
        found.set(slice.name, slice);
      }
      resourceVersion = page.metadata.resourceVersion;
      next = page.metadata.continue ?? "";
    } while (next !== "");
    // Only a whole list counts: what the mirror held and the list does not is gone.
    this.slices.clear();
    for (const [name, slice] of found) this.slices.set(name, slice);
    this.resourceVersion = resourceVersion;
  }

  private async page(next: string, signal: AbortSignal): Promise<ListPage> {
    const query = { limit: String(LIST_PAGE_SLICES), ...(next === "" ? {} : { continue: next }) };
    const response = await this.ask(query, signal);
    const page = parsed(await textOf(bodyOf(response), LIST_PAGE_BYTES_MAX, signal));
    if (!isListPage(page)) throw garbled("a list has no items or no resourceVersion");
    return page;
  }

  private async watch(
    seconds: number,
    onHeard: (what: "watching" | "event") => void,
    conversation: AbortController,
  ): Promise<void> {
    const { signal } = conversation;
    const response = await this.ask({
      watch: "1",
      allowWatchBookmarks: "true",
      resourceVersion: this.resourceVersion ?? "",
      timeoutSeconds: String(seconds),
    }, signal);
    onHeard("watching");
    this.spoil = (cause) => conversation.abort(cause);
    try {
      for await (const line of linesOf(bodyOf(response), LINE_BYTES_MAX, signal)) {
        if (!this.backlog.keep(line)) {
          this.catchUp();
          this.apply(parsed(line) as WatchEvent | null);
        }
        onHeard("event");
      }
    } finally {
      // The next watch resumes after the last of them.
      this.catchUp();
    }
  }

  private apply(event: WatchEvent | null): void {
    const { type, object } = event ?? {};
    if (type === "ERROR") throw new Ending(endOfStatus(object?.code ?? 500, object?.message ?? "", 0));
    const resourceVersion = object?.metadata?.resourceVersion;
    if (typeof resourceVersion !== "string") throw garbled(`an event of type ${type} has no resourceVersion`);
    if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") {
      const slice = sliceIn(object);
      if (slice === null) throw garbled(`an event of type ${type} has no name`);
      if (type === "DELETED") this.slices.delete(slice.name);
      else this.slices.set(slice.name, slice);
    }
    // A bookmark, and any type that a later server may add, only moves the place to resume from.
    this.resourceVersion = resourceVersion;
  }

  /** @throws {Ending} at any status but 200. */
  private async ask(query: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const namespace = encodeURIComponent(this.namespace ?? await this.inputs.api.namespace());
    const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
    const labelSelector = `kubernetes.io/service-name=${this.service}`;
    const response = await this.inputs.api.get(path, { labelSelector, ...query }, signal);
    if (response.status === 200) return response;
    const message = await textOf(bodyOf(response), REFUSAL_BYTES_MAX, signal).then(
      (body) => (JSON.parse(body) as { message?: string }).message ?? "",
    ).catch(() => "");
    const retryAfterS = Math.min(RETRY_AFTER_S_MAX, Number(response.headers.get("retry-after") ?? 0) || 0);
    throw new Ending(endOfStatus(response.status, message, retryAfterS * 1_000));
  }

  /** What is to be answered in time; what has been heard of must not fall silent. */
  private async withDeadline(
    outer: AbortSignal,
    work: (conversation: AbortController, heard: () => void) => Promise<void>,
  ): Promise<void> {
    const { clock } = this.inputs;
    const controller = new AbortController();
    const stop = () => controller.abort(new Error("stopped"));
    outer.addEventListener("abort", stop);
    const late = () => controller.abort(new Error(`no answer within ${ANSWER_DEADLINE_MS / 1_000} s`));
    let cancel = clock.after(ANSWER_DEADLINE_MS, late);
    const heard = () => {
      cancel();
      cancel = clock.after(WATCH_SILENCE_MS, () => controller.abort(new Ending({ kind: "silent" })));
    };
    try {
      if (outer.aborted) stop();
      await work(controller, heard);
    } finally {
      outer.removeEventListener("abort", stop);
      cancel();
      controller.abort();
    }
  }
}

interface ListPage {
  /** Null for none: Go writes an empty list so. */
  readonly items: readonly unknown[] | null;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

interface WatchEvent {
  readonly type?: string;
  readonly object?: {
    readonly code?: number;
    readonly message?: string;
    readonly metadata?: { readonly resourceVersion?: string };
  };
}

const bodyOf = (response: Response) => response.body ?? new Blob().stream();

function isListPage(value: unknown): value is ListPage {
  const page = value as Partial<ListPage> | null;
  return (Array.isArray(page?.items) || page?.items === null) &&
    typeof page?.metadata?.resourceVersion === "string";
}
