// An origin for many requests: it counts them and answers two bytes, over Deno.serve, fast.

export interface CountingOrigin extends AsyncDisposable {
  readonly url: string;
  readonly requests: number;
}

export function countingOrigin(): CountingOrigin {
  let requests = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    requests++;
    return new Response("ok");
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    get requests() {
      return requests;
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
