import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { LATENCY_BUCKETS } from "../../src/board/fields.ts";
import { exposition, type MetricDefinition, publicName } from "../../src/admin/exposition.ts";
import { parseExposition } from "./exposition_parser.ts";

const counter: MetricDefinition = {
  name: "weir_sent_bytes",
  type: "counter",
  help: 'Bytes "sent".\nAll of them, \\ too.',
  labels: ["to"],
};
const histogram: MetricDefinition = { name: "weir_wait_seconds", type: "histogram", help: "h", labels: [] };

for (const format of ["prometheus", "openmetrics"] as const) {
  Deno.test(`exposition() escapes what would break a line (${format})`, () => {
    const text = exposition([[counter, [{ labels: ['a"b\\c\nd'], value: 2 }]]], format);
    assertStringIncludes(text, 'weir_sent_bytes_total{to="a\\"b\\\\c\\nd"} 2\n');
    parseExposition(text, format);
  });

  Deno.test(`exposition() makes buckets cumulative, in seconds (${format})`, () => {
    const counts = new Array<number>(LATENCY_BUCKETS).fill(0);
    counts[0] = 2;
    counts[17] = 3;
    counts[LATENCY_BUCKETS - 1] = 1;
    const text = exposition([[histogram, [{ labels: [], histogram: { counts, sumMs: 4500 } }]]], format);
    const { samples } = parseExposition(text, format).get("weir_wait_seconds")!;
    assertEquals(samples.get('weir_wait_seconds_bucket{le="0.0005"}'), 2);
    assertEquals(samples.get('weir_wait_seconds_bucket{le="2.5"}'), 5);
    assertEquals(samples.get('weir_wait_seconds_bucket{le="60.0"}'), 5);
    assertEquals(samples.get('weir_wait_seconds_bucket{le="+Inf"}'), 6);
    assertEquals([samples.get("weir_wait_seconds_sum{}"), samples.get("weir_wait_seconds_count{}")], [
      4.5,
      6,
    ]);
  });
}

Deno.test("exposition() names a counter's family without _total in OpenMetrics, with it in the older format", () => {
  const page = (format: "prometheus" | "openmetrics") => exposition([[counter, []]], format);
  assertStringIncludes(page("openmetrics"), "# TYPE weir_sent_bytes counter\n# UNIT weir_sent_bytes bytes\n");
  assertStringIncludes(page("prometheus"), "# TYPE weir_sent_bytes_total counter\n");
  assertEquals(publicName(counter), "weir_sent_bytes_total");
});

Deno.test("exposition() writes infinities as the formats do", () => {
  const gauge: MetricDefinition = { name: "g", type: "gauge", help: "g", labels: ["of"] };
  const series = [{ labels: ["a"], value: Infinity }, { labels: ["b"], value: -Infinity }];
  assertStringIncludes(exposition([[gauge, series]], "prometheus"), 'g{of="a"} +Inf\ng{of="b"} -Inf\n');
});

for (
  const [what, text] of [
    ["no end", "# TYPE a gauge\n# HELP a h\na 1\n"],
    ["text after the end", "# EOF\na 1\n"],
    ["a counter without _total", "# TYPE a counter\n# HELP a h\na 1\n# EOF\n"],
    ["a series twice", "# TYPE a gauge\n# HELP a h\na 1\na 1\n# EOF\n"],
    [
      "a family in two pieces",
      "# TYPE a gauge\n# HELP a h\n# TYPE b gauge\n# HELP b h\n# TYPE a gauge\n# EOF\n",
    ],
    ["a raw quote in a label", '# TYPE a gauge\n# HELP a h\na{b="c"d"} 1\n# EOF\n'],
    ["a bad value", "# TYPE a gauge\n# HELP a h\na one\n# EOF\n"],
  ] as const
) {
  Deno.test(`the parser of these tests refuses ${what}`, () => {
    assertThrows(() => parseExposition(text, "openmetrics"));
  });
}
