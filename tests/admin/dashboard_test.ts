// The dashboard in a real browser, fed by a scripted pod; skipped where there is no Chromium.

import { assert, assertEquals } from "@std/assert";
import type { Page, Request } from "playwright-core";
import { type AdminServer, startAdminServer } from "../../src/admin/server.ts";
import { needsChromium, says, startChromium, troubleOf } from "../support/chromium.ts";
import type { Question } from "../../src/messages.ts";
import { FakePod } from "./fake_pod.ts";

const A = "http://10.0.0.1:80";
const B = "http://10.0.0.2:80";

interface Dashboard {
  readonly page: Page;
  readonly pod: FakePod;
  readonly server: AdminServer;
  /** What the browser complained of; must be empty at the end. */
  readonly trouble: string[];
  /** Seconds pass, each with a look at the board. */
  pass(seconds?: number): void;
}

const { ignore } = needsChromium();

async function withDashboard(
  body: (on: Dashboard) => Promise<void>,
): Promise<void> {
  let now = Date.UTC(2026, 0, 1, 12);
  let tick = () => {};
  const pod = new FakePod(() => now, { shop: [A, B] });
  const every = (_ms: number, act: () => void) => {
    tick = act;
    return () => void (tick = () => {});
  };
  const server = startAdminServer({
    host: "127.0.0.1",
    port: 0,
    view: pod,
    now: () => now,
    date: () => now,
    every,
  });
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    const trouble = troubleOf(page);
    await page.goto(`http://127.0.0.1:${server.port}/`);
    const pass = (seconds = 1) => {
      for (let i = 0; i < seconds; i++) {
        now += 1_000;
        tick();
      }
    };
    await body({ page, pod, server, pass, trouble });
    assertEquals(trouble, []);
  } finally {
    await browser.close();
    await server.close();
  }
}

Deno.test({
  name: "the dashboard shows an endpoint going down and coming back, live",
  ignore,
  sanitizeOps: true,
  sanitizeResources: true,
  fn: () =>
    withDashboard(async ({ page, pod, pass }) => {
      const row = (id: string) => `tr[data-key="${id}"]`;
      await says(page, "#verdict-headline", "Both endpoints serve");
      await says(page, `${row(B)} .state`, "serving");

      pod.serve(0, 0, { count: 30, latencyMs: 4 });
      pass();
      await says(page, "#now-requests", "30");
      await says(page, `${row(A)} td[data-label="p99"]`, "ms");

      pod.eject(0, 1, "5 gateway failures in a row");
      pass();
      await says(page, "#verdict-headline", "1 of 2 endpoints is out");
      await says(page, "#verdict-notes", `${B} is ejected: 5 gateway failures in a row`);
      await says(page, `${row(B)} .state`, "ejected");
      await says(page, `${row(B)} .why`, "5 gateway failures in a row · until");
      await says(page, "#events", `${B} ejected for 30 s`);
      assertEquals(await page.title(), "! 1 of 2 endpoints is out · Weir");

      pod.recover(0, 1);
      pass();
      await says(page, "#verdict-headline", "Both endpoints serve");
      await says(page, `${row(B)} .state`, "serving");
      await says(page, "#events li:first-child", `${B} serves again`);

      pod.reload(false, ["port is 0 (config.yaml:3:9)"]);
      pass();
      await says(page, "#verdict-headline", "The last reload was refused: version 3 still serves");
      await says(page, "#config-findings", "port is 0 (config.yaml:3:9)");
      pod.reload(true);
      pass();
      await says(page, "#verdict-headline", "Both endpoints serve");
      await says(page, "#config", "applied");

      pod.certify(5 * 86_400_000 + 60_000);
      pass();
      await says(page, "#verdict-headline", "The certificate expires in 5 days");
      await says(page, "#config", "✓ app.test by Test CA, for 5 d");
      await says(page, "#config", "at 1 of 2 workers");
    }),
});

Deno.test({
  name: "the dashboard fits a phone and wider screens, draws its charts and explains a request",
  ignore,
  sanitizeOps: true,
  sanitizeResources: true,
  fn: () =>
    withDashboard(async ({ page, pod, pass }) => {
      pod.answer = () => [{
        kind: "route",
        route: "shop",
        passedOver: [],
        upstream: "shop",
        candidates: [],
        pick: null,
        why: "<b>nobody</b> is there",
      }];
      // Nowhere in these is a place to break a line.
      const [shop] = pod.upstreamList;
      shop!.name = "x".repeat(63);
      shop!.health = `http GET /${"p".repeat(120)} every 2 s`;
      pod.routeList.push({ name: "moved", row: 1, target: `redirect to https://${"y".repeat(300)}` });
      await page.setViewportSize({ width: 360, height: 740 });
      for (let i = 0; i < 5; i++) {
        pod.serve(0, 0, { count: 10 });
        pass();
      }
      await says(page, "#now-requests", "10");
      assertEquals(await page.locator(".chart canvas").count(), 3);
      const [canvas, plot] = [page.locator(".chart canvas").first(), page.locator(".u-over").first()];
      const rightOf = (box: { x: number; width: number } | null) => box!.x + box!.width;
      const room = rightOf(await canvas.boundingBox()) - rightOf(await plot.boundingBox());
      assert(room >= 15, `${room} px for half of a time at the end of the axis`);
      for (const width of [360, 800, 1101, 1280]) {
        await page.setViewportSize({ width, height: 740 });
        assertEquals(await page.evaluate("document.documentElement.scrollWidth"), width);
        const name = await page.locator(`tr[data-key="${A}"] .address`).boundingBox();
        assert(name!.width > 100 && name!.height < 30, `the endpoint's name is squeezed at ${width}`);
      }
      const beyond = "document.querySelector('#routes').closest('.scroll')";
      assertEquals(
        await page.evaluate(`${beyond}.scrollWidth - ${beyond}.clientWidth`),
        0,
        "figures of routes",
      );
      await page.fill("[name=path]", "/pay");
      await page.click("#explain button");
      await says(page, "#explain-answer", "no pick: <b>nobody</b> is there");
    }),
});

Deno.test({
  name: "the dashboard keeps its charts where they are, whatever the figures above them",
  ignore,
  sanitizeOps: true,
  sanitizeResources: true,
  fn: () =>
    withDashboard(async ({ page, pod, pass }) => {
      const heights = async () => {
        const found = [];
        for (const width of [360, 1101, 1280]) {
          await page.setViewportSize({ width, height: 740 });
          found.push((await page.locator("#charts").boundingBox())!.height);
        }
        return found;
      };
      await says(page, "#now-p99", "–");
      const before = await heights();
      pod.serve(0, 0, { count: 30, latencyMs: 4_000 });
      pass();
      await says(page, "#now-p50", /^\d{4}\u00a0ms/);
      assertEquals(await heights(), before);
    }),
});

Deno.test({
  name: "the dashboard tells a screen reader of another verdict, not of each percentage in the same one",
  ignore,
  sanitizeOps: true,
  sanitizeResources: true,
  fn: () =>
    withDashboard(async ({ page, pod, pass }) => {
      const announced = () => page.locator("main [role=status], main [aria-live]:not(pre)").allTextContents();
      await says(page, "#verdict-headline", "Both endpoints serve");
      assertEquals(await announced(), ["Both endpoints serve"]);
      pod.serve(0, 0, { count: 10, status: 503 });
      pass();
      await says(page, "#verdict-headline", "100 % of requests are answered 5xx");
      pod.serve(0, 0, { count: 10 });
      pass();
      await says(page, "#verdict-headline", "50 % of requests are answered 5xx");
      assertEquals(await announced(), ["100 % of requests are answered 5xx"]);
      for (const index of [0, 1]) pod.eject(0, index, "slow");
      pass();
      await says(page, "#verdict-headline", "shop has no healthy endpoint");
      assertEquals(await announced(), await page.locator("#verdict-headline").allTextContents());
    }),
});

Deno.test({
  name: "the dashboard marks a refused reload, and not a certificate that is good",
  ignore,
  sanitizeOps: true,
  sanitizeResources: true,
  fn: () =>
    withDashboard(async ({ page, pod, pass }) => {
      pod.certify(90 * 86_400_000);
      pod.reload(false, ["port is 0"]);
      pass();
      await says(page, "#config", "✕ refused");
      const weights = await page.evaluate(`[...document.querySelectorAll("#config dd")].map((dd) =>
        [dd.previousSibling.textContent, getComputedStyle(dd).fontWeight])`);
      assertEquals(weights, [["Version", "400"], ["File", "400"], ["Last reload", "600"], [
        "Certificate",
        "400",
      ]]);
    }),
});

Deno.test({
  name: "the dashboard shows at an upstream what discovery knows of its addresses, as text",
  ignore,
  sanitizeOps: true,
  sanitizeResources: true,
  fn: () =>
    withDashboard(async ({ page, pod, pass }) => {
      await says(page, "#verdict-headline", "Both endpoints serve");
      assertEquals(await page.locator("#upstreams .discovery li").count(), 0);
      const answeredAt = pod.now();
      pod.lookUp(0, "dns+http://shop.test:80", { endpoints: 1, answeredAt });
      pass();
      const item = "#upstreams .discovery li";
      await says(page, item, "✓ dns+http://shop.test:80  ·  last answer 1\u00a0s ago  ·  1 endpoint");
      pod.lookUp(0, "dns+http://shop.test:80", {
        answeredAt,
        problem: "<b>SERVFAIL</b>",
        failingSince: answeredAt + 1_000,
      });
      pass(2);
      await says(page, item, "✕ dns+http://shop.test:80  ·  <b>SERVFAIL</b>, since ");
      await says(page, item, ", 2\u00a0s  ·  last answer 3\u00a0s ago  ·  2 endpoints");
      await says(page, "#verdict-headline", "Discovery of shop fails");
      await says(page, "#verdict-notes", "<b>SERVFAIL</b>; 2 endpoints of its last answer stay in use");
      await page.setViewportSize({ width: 360, height: 740 });
      assertEquals(await page.evaluate("document.documentElement.scrollWidth"), 360);
    }),
});

Deno.test({
  name: "the dashboard asks for the host that the empty field names",
  ignore,
  sanitizeOps: true,
  sanitizeResources: true,
  fn: () =>
    withDashboard(async ({ page, pod }) => {
      const asked: Question[] = [];
      pod.answer = (question) => {
        asked.push(question);
        return [{
          kind: "route",
          route: null,
          passedOver: [],
          upstream: null,
          candidates: [],
          pick: null,
          why: "",
        }];
      };
      await page.click("#explain button");
      await says(page, "#explain-answer", "no pick");
      const named = await page.getAttribute("[name=host]", "placeholder");
      assertEquals(asked.map((question) => "authority" in question ? question.authority : null), [named]);
    }),
});

Deno.test({
  name: "the dashboard shows findings that say the same as often as there are such",
  ignore,
  sanitizeOps: true,
  sanitizeResources: true,
  fn: () =>
    withDashboard(async ({ page, pod, pass }) => {
      const findings = ["port is 0", "port is 0", "host is empty"];
      pod.reload(false, findings);
      for (const inFlight of [1, 2, 3]) {
        pod.inFlight(0, 0, inFlight);
        pass();
        await says(page, "#pod", `${inFlight}\u00a0in\u00a0flight`);
        assertEquals(await page.locator("#config-findings li").allInnerTexts(), findings);
      }
      pod.reload(true);
      pass();
      await says(page, "#config", "applied");
      assertEquals(await page.locator("#config-findings li").count(), 0);
    }),
});

Deno.test({
  name: "the dashboard replaces a connection that goes silent without closing",
  ignore,
  sanitizeOps: true,
  sanitizeResources: true,
  fn: () =>
    withDashboard(async ({ page }) => {
      await says(page, "#link", "live");
      const opened: Request[] = [];
      const ended: Request[] = [];
      page.on("request", (request) => void (request.url().endsWith("/events") && opened.push(request)));
      page.on("requestfailed", (request) => void (opened.includes(request) && ended.push(request)));
      // The page's time stands still unless it is told to pass, and the pod says nothing after its greeting.
      await page.clock.install({ time: 0 });
      await page.clock.pauseAt(1_000);
      await page.reload();
      for (const connections of [1, 2, 3]) {
        await says(page, "#link", "live");
        await page.clock.runFor(3_999);
        await says(page, "#link", "live");
        await page.clock.runFor(1);
        await says(page, "#link", "no connection");
        await page.clock.runFor(4_999);
        assertEquals([opened.length, ended.length], [connections, connections - 1]);
        await page.clock.runFor(1);
      }
      await says(page, "#link", "live");
      assertEquals([opened.length, ended.length], [4, 3]);
    }),
});

Deno.test({
  name: "the dashboard shows a restarted pod's events, not those of the process before it",
  ignore,
  sanitizeOps: true,
  sanitizeResources: true,
  fn: () =>
    withDashboard(async ({ page, pod, pass }) => {
      pod.book.add("worker", "bad", "worker 0 ended");
      pass();
      await says(page, "#events", "worker 0 ended");

      const started = pod.recentEvents().map((event) => ({ ...event, text: "started anew" }));
      pod.recentEvents = () => started;
      pod.info.instance = "d4e5f6";
      pass();
      await says(page, "#pod", "d4e5f6");
      const shown = await page.locator("#events .text").allInnerTexts();
      assertEquals(shown, started.map(({ kind, text }) => `${kind} ${text}`));
    }),
});

Deno.test({
  name: "the dashboard takes its verdict back when the pod is gone",
  ignore,
  sanitizeOps: true,
  sanitizeResources: true,
  fn: () =>
    withDashboard(async ({ page, server, trouble }) => {
      await says(page, "#verdict-headline", "Both endpoints serve");
      await server.close();
      await says(page, "#verdict-headline", "No connection to this pod");
      await says(page, "#verdict-notes", "What is shown below is of");
      await says(page, "#link", "no connection");
      // The browser complains of what this test is about.
      trouble.length = 0;
    }),
});
