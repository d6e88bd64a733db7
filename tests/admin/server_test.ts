import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { ADMIN_PATHS } from "../../src/admin/handler.ts";
import { type AdminServer, startAdminServer } from "../../src/admin/server.ts";
import type { Answer, Question } from "../../src/messages.ts";
import { parseExposition } from "./exposition_parser.ts";
import { FakePod } from "./fake_pod.ts";

const LIMITS = { sanitizeOps: true, sanitizeResources: true };

interface Running {
  readonly pod: FakePod;
  readonly server: AdminServer;
  readonly base: string;
  readonly problems: string[];
  /** One second passes, and the board is sampled. */
  tick(): void;
  /** Time passes, less than a second. */
  elapse(ms: number): void;
}

function adminTest(name: string, body: (running: Running) => Promise<void>): void {
  Deno.test({
    name,
    ...LIMITS,
    fn: async () => {
      let now = 1_000_000;
      let tick = () => {};
      let samples = false;
      const problems: string[] = [];
      const pod = new FakePod(() => now, { shop: ["http://10.0.0.1:80", "http://10.0.0.2:80"] });
      const server = startAdminServer({
        host: "127.0.0.1",
        port: 0,
        view: pod,
        now: () => now,
        date: () => now,
        every: (_ms, act) => {
          tick = act;
          samples = true;
          return () => void (samples = false);
        },
        onProblem: (problem) => problems.push(problem),
        feedLimits: { readersMax: 2, waitingMax: 4 },
      });
      const base = `http://127.0.0.1:${server.port}`;
      const step = () => {
        now += 1_000;
        tick();
      };
      try {
        await body({ pod, server, base, problems, tick: step, elapse: (ms) => void (now += ms) });
      } finally {
        await server.close();
      }
      assertEquals([pod.subscribed, samples], [0, false]);
    },
  });
}

/** Sends bytes and reads until the server closes. */
async function raw(port: number, request: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode(request));
  return await new Response(conn.readable).text();
}

for (const [path, field] of [["/livez", "live"], ["/readyz", "ready"], ["/startupz", "started"]] as const) {
  adminTest(`${path} is 200 while the pod is ${field}, else 503 with the reason`, async ({ pod, base }) => {
    const passed = await fetch(base + path);
    assertEquals([passed.status, (await passed.json()).passed], [200, true]);
    pod.state[field] = false;
    pod.state.reasons = ["no worker serves"];
    const failed = await fetch(base + path);
    assertEquals([failed.status, (await failed.json()).reasons], [503, ["no worker serves"]]);
  });
}

adminTest(
  "every page and file of the dashboard is served, without cache and with a strict policy",
  async ({ base }) => {
    for (const path of ADMIN_PATHS.filter((path) => path !== "/events" && path !== "/explain")) {
      const response = await fetch(base + path);
      assertEquals(response.status, 200, path);
      assertEquals(response.headers.get("cache-control"), "no-store", path);
      const policy = response.headers.get("content-security-policy")!;
      assertStringIncludes(policy, "default-src 'none'; script-src 'self'; style-src 'self'");
      assert(!policy.includes("unsafe"), path);
      assert((await response.text()).length > 10, path);
    }
  },
);

adminTest("the page has no inline script or style and names no other host", async ({ base }) => {
  const page = await (await fetch(base)).text();
  assert(!/<script(?![^>]* src=)|<style|style="|\son[a-z]+="|https?:\/\//.test(page));
});

adminTest("HEAD answers like GET without a body, also for the event stream", async ({ base }) => {
  for (const path of ["/", "/metrics", "/events", "/readyz"]) {
    const response = await fetch(base + path, { method: "HEAD" });
    assertEquals([response.status, await response.text()], [200, ""], path);
  }
});

adminTest("HEAD tells the length of GET's answer", async ({ base }) => {
  for (const path of ["/", "/readyz", "/nothing"]) {
    const length = (await (await fetch(base + path)).bytes()).length;
    const response = await fetch(base + path, { method: "HEAD" });
    assertEquals(response.headers.get("content-length"), String(length), path);
  }
});

adminTest("other methods are refused and told which are allowed", async ({ base }) => {
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    const response = await fetch(`${base}/status`, { method });
    assertEquals([response.status, response.headers.get("allow")], [405, "GET, HEAD"], method);
    await response.body?.cancel();
  }
});

adminTest("an unknown path is 404 with the paths that there are", async ({ base }) => {
  for (const path of ["/nothing", "/constructor", "/__proto__", "/dashboard/../server.ts"]) {
    const response = await fetch(base + path);
    assertEquals(response.status, 404, path);
    const text = await response.text();
    for (const known of ["/readyz", "/metrics", "/explain"]) assertStringIncludes(text, known);
  }
});

adminTest("whatever Host says, the path decides and Host is not repeated", async ({ server, problems }) => {
  for (const host of ["evil.example", "a b<>", "h:abc", "h/evil", "h?x", "[::1"]) {
    const answer = await raw(
      server.port,
      `GET /readyz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    assertMatch(answer, /^HTTP\/1.1 (200|400)/, host);
    assert(!answer.includes(host), host);
  }
  const absolute = await raw(
    server.port,
    "GET http://other.example/livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
  );
  assertStringIncludes(absolute, '"probe": "live"');
  assertEquals(problems, []);
});

adminTest("/metrics speaks OpenMetrics to those that ask for it, else the older format", async ({ base }) => {
  const prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4," +
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
  for (
    const [accept, format] of [
      [prometheus, "openmetrics"],
      ["application/openmetrics-text", "openmetrics"],
      ["text/plain;version=0.0.4", "prometheus"],
      ["text/plain; version=0.0.4; q=0.5, application/openmetrics-text; version=1.0.0; q=0.9", "openmetrics"],
      ["application/openmetrics-text; q=0.5, text/plain; q=0.9", "prometheus"],
      ["text/plain; q=0, */*", "openmetrics"],
      ["*/*", "prometheus"],
      ["image/png", "prometheus"],
    ] as const
  ) {
    const response = await fetch(`${base}/metrics`, { headers: { accept } });
    const version = format === "openmetrics"
      ? "application/openmetrics-text; version=1.0.0"
      : "version=0.0.4";
    assertStringIncludes(response.headers.get("content-type")!, version, accept);
    parseExposition(await response.text(), format);
  }
});

adminTest("/status and /config tell the effective configuration", async ({ base }) => {
  const status = await (await fetch(`${base}/status`)).json();
  assertEquals(status.verdict.headline, "Both endpoints serve");
  const config = await (await fetch(`${base}/config`)).text();
  assertEquals(config, "listen.port = 3000 (default)\n");
  assertEquals(status.config.effective, config);
});

const STORY: Answer = {
  kind: "route",
  route: "shop",
  passedOver: [],
  upstream: "shop",
  candidates: [],
  pick: null,
  why: "nobody there",
};

adminTest(
  "/explain asks the workers and answers in text, or JSON to those that accept it",
  async ({ pod, base }) => {
    const asked: Question[] = [];
    pod.answer = (question) => {
      asked.push(question);
      return [null, STORY];
    };
    const text = await fetch(`${base}/explain?path=/a%2520b%3Fc&method=PUT`);
    assertEquals(await text.text(), "route shop\nupstream shop\nno pick: nobody there\n");
    const json = await fetch(`${base}/explain?id=r-1`, { headers: { accept: "application/json" } });
    assertEquals(await json.json(), STORY);
    assertEquals(asked, [
      {
        kind: "explainRequest",
        method: "PUT",
        authority: "localhost",
        target: "/a%20b?c",
        headers: [],
        client: "127.0.0.1",
      },
      { kind: "explainId", requestId: "r-1" },
    ]);
  },
);

adminTest(
  "/explain names what fails of discovery where nothing can be picked, in text and in JSON",
  async ({ pod, base }) => {
    pod.answer = () => [STORY];
    pod.lookUp(0, "dns+http://shop.test:80", { problem: "no answer", failingSince: 0 });
    const why = "nobody there; discovery fails: dns+http://shop.test:80: no answer";
    const text = await fetch(`${base}/explain?path=/`);
    assertStringIncludes(await text.text(), `no pick: ${why}\n`);
    const json = await fetch(`${base}/explain?path=/`, { headers: { accept: "application/json" } });
    assertEquals((await json.json()).why, why);
  },
);

adminTest(
  "/explain refuses what it cannot read with its usage, and says when nobody knows",
  async ({ base }) => {
    const bad = await fetch(`${base}/explain?path=x`);
    assertEquals(bad.status, 400);
    assertStringIncludes(await bad.text(), 'path is "x", must start with /\nAsk where a request would go:');
    const unknown = await fetch(`${base}/explain?id=r-9`, { headers: { accept: "application/json" } });
    assertEquals(unknown.status, 404);
    assertStringIncludes((await unknown.json()).problem, "no worker remembers request r-9");
  },
);

adminTest(
  "an error while answering is a 500 that says nothing of the inside",
  async ({ pod, base, problems }) => {
    pod.answer = () => Promise.reject(new Error("secret"));
    const response = await fetch(`${base}/explain?path=/`);
    assertEquals([response.status, (await response.text()).includes("secret")], [500, false]);
    assertEquals(problems, ["admin GET failed: secret"]);
    const next = await fetch(`${base}/livez`);
    assertEquals((await next.json()).passed, true);
  },
);

Deno.test("docs/admin.md tells every path, and no other", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/admin.md", import.meta.url));
  const documented = [...text.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell]) => cell!.match(/\/[a-z]*/g)!);
  const pages = ADMIN_PATHS.filter((path) => !path.startsWith("/dashboard/"));
  assertEquals(documented.sort(), [...pages].sort());
});

/** Reads server-sent events one by one. */
async function* sseOf(response: Response): AsyncGenerator<{ event: string; data: string }> {
  let text = "";
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const fields = new Map(
        text.slice(0, end).split("\n").map((line) => {
          const colon = line.indexOf(":");
          return [line.slice(0, colon), line.slice(colon + 1)] as const;
        }),
      );
      text = text.slice(end + 2);
      yield { event: fields.get("event")!, data: fields.get("data")! };
    }
  }
}

adminTest("/events sends the history, then a status each second and at once when something happens", async ({
  pod,
  base,
  tick,
}) => {
  tick();
  const events = sseOf(await fetch(`${base}/events`));
  const next = async () => (await events.next()).value!;
  assertEquals((await next()).event, "history");
  assertEquals(JSON.parse((await next()).data).verdict.level, "ok");
  tick();
  assertEquals(JSON.parse((await next()).data).at, 1_002_000);
  pod.serve(0, 0, { count: 3 });
  tick();
  const status = JSON.parse((await next()).data);
  assertEquals([status.point.requestsPerSecond, status.config.effective], [3, undefined]);
  await events.return(undefined);
});

adminTest("an event reaches the dashboards before the next second, but no storm does", async ({
  pod,
  base,
  tick,
  elapse,
}) => {
  const events = sseOf(await fetch(`${base}/events`));
  const next = async () => JSON.parse((await events.next()).value!.data);
  await next();
  await next();
  elapse(300);
  pod.happen("health", "bad", "an endpoint is down");
  assertEquals((await next()).events.length, 1);
  for (let i = 0; i < 100; i++) pod.happen("health", "bad", `event ${i}`);
  tick();
  assertEquals((await next()).events.length, 101);
  await events.return(undefined);
});

adminTest("HEAD of /events takes no dashboard's place", async ({ base }) => {
  for (let i = 0; i < 3; i++) {
    const { status } = await fetch(`${base}/events`, { method: "HEAD" });
    assertEquals(status, 200);
  }
});

adminTest("/events refuses more dashboards than it has room for", async ({ base }) => {
  const open = [await fetch(`${base}/events`), await fetch(`${base}/events`)];
  const refused = await fetch(`${base}/events`);
  assertEquals([refused.status, refused.headers.get("retry-after")], [503, "10"]);
  await refused.body?.cancel();
  for (const response of open) await response.body!.cancel();
});

adminTest("close() ends the dashboards' streams cleanly", async ({ base, server }) => {
  const response = await fetch(`${base}/events`);
  const [, text] = await Promise.all([server.close(), response.text()]);
  assertStringIncludes(text, "event:status");
});

adminTest("a source that throws costs one look, not the server", async ({ pod, base, tick, problems }) => {
  const routes = pod.routes;
  pod.routes = () => {
    throw new Error("half way through a reload");
  };
  tick();
  assertEquals(problems, ["admin: a look at the pod failed: half way through a reload"]);
  const failed = await fetch(`${base}/status`);
  assertEquals(failed.status, 500);
  await failed.body?.cancel();
  pod.routes = routes;
  const status = await fetch(`${base}/status`);
  assertEquals(status.status, 200);
  await status.body?.cancel();
});

Deno.test("startAdminServer() throws when the port is taken", LIMITS, async () => {
  const pod = new FakePod(() => 0, {});
  const options = { host: "127.0.0.1", view: pod, every: () => () => {} };
  const first = startAdminServer({ ...options, port: 0 });
  assertThrows(() => startAdminServer({ ...options, port: first.port }), Deno.errors.AddrInUse);
  await first.close();
  await first.close();
});
