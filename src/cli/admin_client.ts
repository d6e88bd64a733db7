// One GET to the admin server of a running Weir, over Weir's own client: no proxy variable can lead it astray.

import { bracketed } from "../config/endpoint_url.ts";
import { messageOf } from "../error_message.ts";
import type { Body } from "../exchange.ts";
import { requestHead } from "../http1/request_writer.ts";
import type { ParsedResponse } from "../http1/response_head.ts";
import { Connection } from "../upstream/connection.ts";
import { dial } from "../upstream/dial.ts";
import { runningWheel } from "../timer_wheel.ts";
import { complain, print } from "./print.ts";

const LIMIT_MS = 5_000;
const HEAD_BYTES_MAX = 65_536;
const WHERE = "(--admin-port, ADMIN_PORT or the file say where to ask)";

/**
 * Prints the answer. Exit 0 when it is a 200, 1 when it is not or nobody answers.
 * @param isWeirs whether the body of a 200 is what Weir says there, and not another program of that port
 */
export async function askAdmin(
  { host, port }: { readonly host: string; readonly port: number },
  target: string,
  accept: string,
  isWeirs: (body: string) => boolean = () => true,
): Promise<number> {
  let answer;
  try {
    answer = await getAdmin(host, port, target, accept);
  } catch (error) {
    complain(
      `no answer from ${authority(host, port)}: ${
        messageOf(error)
      }; is Weir running, and its admin server there? ${WHERE}`,
    );
    return 1;
  }
  if (answer.status === 200 && !isWeirs(answer.body)) {
    complain(
      `${authority(host, port)} is no admin server of Weir: it answers 200, but not as Weir does ${WHERE}`,
    );
    return 1;
  }
  print(answer.body.trimEnd());
  return answer.status === 200 ? 0 : 1;
}

function authority(host: string, port: number): string {
  return `${bracketed(host)}:${port}`;
}

/** @throws DialError, ConnectionError, BodyError */
async function getAdmin(
  host: string,
  port: number,
  target: string,
  accept: string,
): Promise<{ status: number; body: string }> {
  const wheel = runningWheel();
  const limits = { connectMs: LIMIT_MS, tlsHandshakeMs: LIMIT_MS };
  const conn = await dial({ scheme: "http", host, port, authority: host }, { caCerts: [] }, limits, {
    wheel,
  });
  const connection = new Connection(conn, wheel, performance.now());
  try {
    const headers = ["Accept", accept, "Connection", "close"];
    const request = {
      method: "GET",
      target,
      headers,
      contentLength: null,
      chunked: false,
    };
    connection.expectHead(LIMIT_MS);
    await connection.outlet.write(requestHead(request, authority(host, port)));
    const head = await finalHead(connection);
    const body = connection.body(head, LIMIT_MS, { bodyEnded: () => {} });
    return { status: head.status, body: body === null ? "" : await text(body) };
  } finally {
    connection.close();
  }
}

async function finalHead(connection: Connection): Promise<ParsedResponse> {
  for (;;) {
    const head = connection.takeHead("GET", HEAD_BYTES_MAX);
    if (head === null) await connection.moreHead();
    else if (head.status >= 200) return head;
  }
}

async function text(body: Body): Promise<string> {
  const decoder = new TextDecoder();
  let all = "";
  for (let bytes = await body.read(); bytes !== null; bytes = await body.read()) {
    all += decoder.decode(bytes, { stream: true });
  }
  return all + decoder.decode();
}
