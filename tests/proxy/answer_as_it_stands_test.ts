// What most answers are spared: their lines are taken apart only where somebody looks at them or changes them.

import { assertEquals } from "@std/assert";
import { ParsedResponse } from "../../src/http1/response_head.ts";
import { ask } from "../support/raw_client.ts";
import { reply } from "../support/raw_origin.ts";
import { ALL_BUT_SERVE, scenario } from "../support/scenario.ts";

/** Counts, until it is disposed of, how often a head is asked for its lines. */
class LinesAsked implements Disposable {
  count = 0;
  private readonly before = Object.getOwnPropertyDescriptor(ParsedResponse.prototype, "headers")!;

  constructor() {
    const { before } = this;
    const note = () => this.count++;
    Object.defineProperty(ParsedResponse.prototype, "headers", {
      ...before,
      get() {
        note();
        return before.get!.call(this);
      },
    });
  }

  [Symbol.dispose](): void {
    Object.defineProperty(ParsedResponse.prototype, "headers", this.before);
  }
}

/** An answer without one gets one. */
const DATE = "Fri, 27 Nov 2026 18:00:00 GMT";
const EDIT = { set: { "x-edited": "1" } };

scenario(
  "an answer that nobody edits goes on as it stands, and one that a route edits does not",
  async (props) => {
    const { url } = await props.origin(reply(200, { body: "hello", headers: [["Date", DATE]] }));
    using lines = new LinesAsked();
    const upstreams = { u: { endpoints: [url] } };
    const edited = { match: { path: "/edited" }, upstream: "u", responseHeaders: EDIT };
    const loop = await props.loop({ config: { upstreams, routes: [edited, { upstream: "u" }] } });
    assertEquals((await ask(loop.url)).text, "hello");
    assertEquals(lines.count, 0);
    assertEquals((await ask(loop.url, { target: "/edited" })).header("x-edited"), "1");
    assertEquals(lines.count, 1);
  },
  { listeners: ALL_BUT_SERVE },
);
