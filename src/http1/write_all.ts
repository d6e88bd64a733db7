// Writing to a connection until all is taken: a write may take a part only.

/** Sends all of `bytes`, which must not change meanwhile. @throws what `Deno.Conn.write` throws */
export async function writeAll(conn: Pick<Deno.Conn, "write">, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}
