// Reading from a connection, without what `Deno.Conn.read` does beside it.
//
// For `unref`, which Weir does not use, that method keeps the promise of each read in a set. A set that is emptied gets
// a new table each time, in the old heap when the set is old: at full load all of the heap is collected every second
// or two, and each read makes twice as much garbage (docs/decisions/reading.md).

interface Core {
  readonly internalRidSymbol: symbol;
  read(rid: number, into: Uint8Array): Promise<number>;
}

type Internals = Record<symbol, { readonly core?: Core } | undefined>;

/** Deno writes its own library on this, and may change it with any version: without it reading works as documented. */
const core = (Deno as unknown as Internals)[(Deno as unknown as { readonly internal: symbol }).internal]
  ?.core;
const RID = core?.internalRidSymbol ?? Symbol("none");

/**
 * Waits for bytes and puts them into `into`, which must have room: how many they are, or 0 at the end of what the peer
 * sends.
 * @throws what `Deno.Conn.read` throws
 */
export function readSome(conn: Pick<Deno.Conn, "read">, into: Uint8Array): Promise<number> {
  // Under this Deno knows the connection; one of a test's own making has none.
  const rid = (conn as unknown as Record<symbol, number | undefined>)[RID];
  return rid === undefined ? conn.read(into).then((count) => count ?? 0) : core!.read(rid, into);
}

/** The same, with null for the end. */
export function readOrNull(conn: Pick<Deno.Conn, "read">, into: Uint8Array): Promise<number | null> {
  return readSome(conn, into).then((count) => count === 0 ? null : count);
}
