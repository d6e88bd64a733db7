// A port for a server that cannot pick one by itself, or whose number must be known before it starts.

/** Below what the system picks from for connections and for port 0: nobody gets it between here and its use. */
const [FIRST, COUNT] = [20_000, 12_000];

export function freePort(): number {
  while (true) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
