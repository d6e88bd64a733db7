// Events of a watch that nobody has looked into yet: of those about one slice only the newest is kept.
//
// The API server sends a slice whole at each change, and of a Service in turmoil most are superseded before
// anybody asks what it came to: to read them all costs more than all the rest. The server writes an object's
// fields in a fixed order, so type and name stand at the start of a line; a line that begins otherwise is not for
// the backlog.

const START =
  /^\{"type":"(?:ADDED|MODIFIED|DELETED)","object":\{(?:"kind":"EndpointSlice","apiVersion":"discovery\.k8s\.io\/v1",)?"metadata":\{"name":"([a-z0-9.-]+)"/;

export class Backlog {
  private readonly lines = new Map<string, string>();

  /** Keeps a line in place of earlier ones about the same slice; false when it does not say at its start whose it is. */
  keep(line: string): boolean {
    const name = START.exec(line)?.[1];
    if (name === undefined) return false;
    // Deleted first: a map keeps the place of a key that it has.
    this.lines.delete(name);
    this.lines.set(name, line);
    return true;
  }

  /** Forgets what it has: a list is to say all of it. */
  clear(): void {
    this.lines.clear();
  }

  /** Gives out what it has, in the order in which the lines came. */
  *take(): Generator<string> {
    for (const [name, line] of this.lines) {
      this.lines.delete(name);
      yield line;
    }
  }
}
