// Sockets whose accepts fail as a test says, after somebody came.

/** What `open` listens on asks `failure` after each accept: it takes its connection away, or is undefined. */
export function withFailingAccepts<T>(failure: () => Error | undefined, open: () => T): T {
  const real = Deno.listen;
  Deno.listen = ((options: Deno.TcpListenOptions) => {
    const socket = real(options);
    const accept = socket.accept.bind(socket);
    socket.accept = async () => {
      const conn = await accept();
      const error = failure();
      if (error === undefined) return conn;
      conn.close();
      throw error;
    };
    return socket;
  }) as typeof Deno.listen;
  try {
    return open();
  } finally {
    Deno.listen = real;
  }
}
