// A Service of 1,000 pods in ten EndpointSlices, as a real API server would write them, whose pods become ready and
// unready one after another.

import { type Asked, slice } from "./scripted_api.ts";

const SLICES = 10;
const PODS_PER_SLICE = 100;
const CHANGES_PER_SECOND = 100;
/** Pods that are not ready at the same time. */
const UNREADY_MAX = 50;
/** Coprime to the pods of a slice: every pod has its turn. */
const STRIDE = 7;

export class ChurningService {
  changes = 0;
  /** Addresses, those that have been so the longest first. */
  private readonly unready = new Set<string>();
  private failures = 0;
  private timer: ReturnType<typeof setInterval> | null = null;

  constructor(private readonly port: number) {}

  /** All slices as they are now. */
  slices(): Record<string, unknown>[] {
    return Array.from({ length: SLICES }, (_, number) => this.slice(number));
  }

  /** Ids of the endpoints that take traffic now, sorted. */
  ready(): string[] {
    return Array.from({ length: SLICES }, (_, number) => addressesOf(number)).flat()
      .filter((address) => !this.unready.has(address)).map((address) => `http://${address}:${this.port}`)
      .sort();
  }

  /** Tells the watch of so many changes a second, until `calmDown()`. */
  churn(watch: Asked): void {
    const before = this.changes;
    const began = performance.now();
    this.timer = setInterval(() => {
      const due = before + (performance.now() - began) * CHANGES_PER_SECOND / 1_000;
      while (this.changes < due) watch.event("MODIFIED", this.change());
    }, 1_000 / CHANGES_PER_SECOND);
  }

  calmDown(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }

  /** A pod of the next slice becomes unready, or the one that has been so the longest ready again. */
  private change(): Record<string, unknown> {
    const recovers = this.unready.size >= UNREADY_MAX;
    this.changes++;
    if (recovers) {
      const [longest] = this.unready;
      this.unready.delete(longest!);
      return this.slice(sliceOf(longest!));
    }
    const number = this.failures % SLICES;
    const pod = Math.floor(this.failures / SLICES) * STRIDE % PODS_PER_SLICE;
    this.failures++;
    this.unready.add(addressesOf(number)[pod]!);
    return this.slice(number);
  }

  private slice(number: number): Record<string, unknown> {
    const pods = addressesOf(number).map((address) =>
      [address, this.unready.has(address) ? "notReady" : "ready"] as const
    );
    const { endpoints, ...rest } = slice(
      `api-${number}`,
      Object.fromEntries(pods),
      String(this.changes + 10),
    );
    return {
      ...rest,
      ports: [{ name: "http", port: this.port, protocol: "TCP" }],
      endpoints: (endpoints as { addresses: string[] }[]).map((endpoint) => ({
        ...endpoint,
        nodeName: `node-${number}.example.internal`,
        zone: "zone-a",
        targetRef: {
          kind: "Pod",
          namespace: "own",
          name: `api-${endpoint.addresses[0]}`,
          uid: uidOf(endpoint.addresses[0]!),
        },
      })),
    };
  }
}

function addressesOf(slice: number): string[] {
  return Array.from({ length: PODS_PER_SLICE }, (_, pod) => `127.1.${slice}.${pod + 1}`);
}

const sliceOf = (address: string) => Number(address.split(".")[2]);

/** The shape of a UUID, without its randomness. */
function uidOf(address: string): string {
  const hex = address.split(".").map((part) => Number(part).toString(16).padStart(2, "0")).join("");
  return `${hex}-0000-4000-8000-${hex}0000`;
}
