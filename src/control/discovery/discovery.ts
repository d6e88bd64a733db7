// What a source of endpoints is: it tells the whole set whenever the set changes, until it is stopped.
//
// Called by whoever puts snapshots together. A source never takes endpoints back because it cannot reach
// whoever it asks: the last known set stays, and `describe()` says that it is old and why.

/** One address that a source found. Weight and role come from the configured address that named the source. */
export interface DiscoveredEndpoint {
  readonly scheme: "http" | "https";
  /** IP address without brackets, or a name that the system resolver answers. */
  readonly host: string;
  readonly port: number;
  /** Takes no new clients; sticky ones may stay. */
  readonly draining: boolean;
}

/** What a source knows now, for status, dashboard and log. */
export interface DiscoveryDescription {
  /** The address as configured. */
  readonly source: string;
  /** `waiting`: nothing known yet; `current`: as the source says; `stale`: the last known set, as of `updatedAt`. */
  readonly state: "waiting" | "current" | "stale";
  readonly endpoints: number;
  /** When the source last answered, milliseconds since 1970; null before the first time. */
  readonly updatedAt: number | null;
  /** What is wrong and what to do about it, in words for an operator. */
  readonly finding?: string;
}

export interface Discovery {
  /** Begins; `onEndpoints` is called with each new whole set, the empty one included. Call once. */
  start(onEndpoints: (endpoints: readonly DiscoveredEndpoint[]) => void): void;
  /** Settles when nothing of it runs any more; `onEndpoints` is not called after. */
  stop(): Promise<void>;
  describe(): DiscoveryDescription;
}
