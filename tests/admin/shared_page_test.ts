import { assertEquals, assertRejects } from "@std/assert";
import { slowPages } from "../../src/admin/handler.ts";
import { sharedPage } from "../../src/admin/shared_page.ts";
import { FakePod } from "./fake_pod.ts";

/** The event loop turns when the test says so. */
function scriptedTurn() {
  let waiting = Promise.withResolvers<void>();
  return {
    turn: () => waiting.promise,
    pass: () => {
      waiting.resolve();
      waiting = Promise.withResolvers();
    },
  };
}

Deno.test("sharedPage() makes one page for all who ask before it is begun, and another for who comes later", async () => {
  const { turn, pass } = scriptedTurn();
  let made = 0;
  const page = sharedPage(() => ++made, turn);
  const first = [page(), page(), page()];
  assertEquals(made, 0);
  pass();
  assertEquals(await Promise.all(first), [1, 1, 1]);
  const later = page();
  pass();
  assertEquals(await later, 2);
});

Deno.test("sharedPage() fails for all who asked, and not for who asks next", async () => {
  const { turn, pass } = scriptedTurn();
  let times = 0;
  const page = sharedPage(() => {
    if (++times === 1) throw new Error("no luck");
    return times;
  }, turn);
  const first = [page(), page()];
  pass();
  for (const asked of first) await assertRejects(() => asked, Error, "no luck");
  const second = page();
  pass();
  assertEquals(await second, 2);
});

for (const name of ["status", "prometheus", "openmetrics"] as const) {
  Deno.test(`slowPages() looks at the pod once for all who ask at once (${name})`, async () => {
    const { turn, pass } = scriptedTurn();
    const pod = new FakePod(() => 0, { shop: ["http://10.0.0.1:80"] });
    let looks = 0;
    const view = Object.assign(Object.create(pod) as FakePod, {
      routes: () => {
        looks++;
        return pod.routeList;
      },
    });
    const page = slowPages(view, () => ({ routes: view.routes() }) as never, turn)[name];
    const asked = [page(), page(), page()];
    pass();
    const bodies = (await Promise.all(asked)).map(({ body }) => body);
    assertEquals([looks, new Set(bodies).size], [1, 1]);
  });
}
