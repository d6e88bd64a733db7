import { assertEquals } from "@std/assert";
import type { RouteSnapshot } from "../../src/messages.ts";
import { KnownPlaces } from "../../src/proxy/access_line_places.ts";
import { AttemptRecord, RequestRecord } from "../../src/proxy/record.ts";
import { requestHead } from "../support/request_head.ts";

const SIZE_MAX = 12;

Deno.test("KnownPlaces remembers a limited number of places, however many routes there are", () => {
  const routes = ["a", "b", "c", "d", "e"].map((name) => ({ name }) as RouteSnapshot);
  let written = 0;
  const places = new KnownPlaces((to, { route, attempts }) => {
    written++;
    to.text(`${route!.name} ${attempts[0]!.endpoint}`);
  }, SIZE_MAX);
  const remembered = new Set<Uint8Array>();
  const placeOf = (route: RouteSnapshot, endpoint: string) => {
    const record = Object.assign(new RequestRecord(requestHead({}), 0), { route });
    record.addAttempt(new AttemptRecord(endpoint, 0));
    return places.of(record, route);
  };
  for (let i = 0; i < 100; i++) {
    const [route, endpoint] = [routes[i % 5]!, `http://10.0.0.${i % 20}:1`];
    const bytes = placeOf(route, endpoint);
    assertEquals(new TextDecoder().decode(bytes), `${route.name} ${endpoint}`);
    assertEquals(placeOf(route, endpoint) === bytes, true);
    remembered.add(bytes);
    assertEquals(places.size <= SIZE_MAX, true);
  }
  assertEquals([written, remembered.size], [100, 100]);
  // One of many forgotten ones is put together anew.
  placeOf(routes[0]!, "http://10.0.0.0:1");
  assertEquals(written, 101);
});
