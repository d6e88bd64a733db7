// A strict reader of the two metric formats: it throws at the first thing that the specifications forbid.

import { assert, assertEquals } from "@std/assert";
import type { Format } from "../../src/admin/exposition.ts";

export interface ParsedFamily {
  readonly type: string;
  readonly help: string;
  /** By sample name and labels, as `name{a="b"}`. */
  readonly samples: Map<string, number>;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const META = new RegExp(`^# (HELP|TYPE|UNIT) (${NAME}) (.*)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/;
const VALUE = /^(?:NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

const SUFFIXES: Record<Format, Record<string, readonly string[]>> = {
  openmetrics: {
    counter: ["_total"],
    gauge: [""],
    info: ["_info"],
    histogram: ["_bucket", "_sum", "_count"],
  },
  prometheus: { counter: [""], gauge: [""], histogram: ["_bucket", "_sum", "_count"] },
};

/** Families by name, as the format names them. */
export function parseExposition(text: string, format: Format): Map<string, ParsedFamily> {
  assert(text.endsWith("\n"), "the last line must end");
  assert(!text.includes("\r"), "no carriage returns");
  const lines = text.slice(0, -1).split("\n");
  if (format === "openmetrics") assertEquals(lines.pop(), "# EOF", "OpenMetrics ends with # EOF");
  const families = new Map<string, ParsedFamily>();
  let open = null as { name: string; type?: string; help?: string; samples: Map<string, number> } | null;
  const close = () => {
    if (open === null) return;
    assert(open.type !== undefined && open.help !== undefined, `${open.name} lacks TYPE or HELP`);
    if (open.type === "histogram") checkHistograms(open.name, open.samples);
    families.set(open.name, { type: open.type, help: open.help, samples: open.samples });
  };
  for (const line of lines) {
    const meta = META.exec(line);
    if (meta !== null) {
      const [, keyword, name, rest] = meta as unknown as [string, string, string, string];
      if (open?.name !== name) {
        close();
        assert(!families.has(name), `${name} is not in one piece`);
        open = { name, samples: new Map() };
      }
      assertEquals(open.samples.size, 0, `metadata of ${name} after its samples`);
      if (keyword === "TYPE") {
        assert(SUFFIXES[format][rest] !== undefined, `unknown type ${rest}`);
        open.type = rest;
      } else if (keyword === "HELP") open.help = rest;
      else assert(format === "openmetrics" && name.endsWith(`_${rest}`), `unit of ${name} is not its suffix`);
      continue;
    }
    const sample = SAMPLE.exec(line);
    assert(sample !== null && open !== null && open.type !== undefined, `not a sample: ${line}`);
    const [, name, labels = "", value] = sample as unknown as [string, string, string | undefined, string];
    const suffix = name.slice(open.name.length);
    assert(name.startsWith(open.name), `${name} stands under ${open.name}`);
    assert(SUFFIXES[format][open.type]!.includes(suffix), `${name} has a suffix that ${open.type} has not`);
    if (format === "prometheus" && open.type === "counter") assert(name.endsWith("_total"), name);
    assert(VALUE.test(value), `not a value: ${line}`);
    const key = `${name}{${checkLabels(labels, line)}}`;
    assert(!open.samples.has(key), `twice: ${key}`);
    if (open.type === "counter") assert(Number(value) >= 0, `a counter below zero: ${line}`);
    open.samples.set(key, value === "+Inf" ? Infinity : Number(value));
  }
  close();
  return families;
}

function checkLabels(text: string, line: string): string {
  const names = new Set<string>();
  let rest = text;
  while (rest !== "") {
    const label = LABEL.exec(rest);
    assert(label !== null, `bad labels: ${line}`);
    assert(!names.has(label[1]!), `a label twice: ${line}`);
    names.add(label[1]!);
    rest = rest.slice(label[0].length);
    assert(label[3] !== "," || rest !== "", `a comma too many: ${line}`);
  }
  return text;
}

/** Buckets ascend and are cumulative, the last one is +Inf and equals the count. */
function checkHistograms(name: string, samples: Map<string, number>): void {
  let bound = -Infinity;
  let below = 0;
  for (const [key, value] of samples) {
    const le = /,?le="([^"]+)"\}$/.exec(key);
    if (le === null) {
      if (key.startsWith(`${name}_count`)) {
        assertEquals(bound, Infinity, `${key} without a +Inf bucket`);
        assertEquals(value, below, `${key} is not its +Inf bucket`);
      }
      continue;
    }
    const next = le[1] === "+Inf" ? Infinity : Number(le[1]);
    if (bound === Infinity) [bound, below] = [-Infinity, 0];
    assert(next > bound && value >= below, `buckets out of order: ${key}`);
    [bound, below] = [next, value];
  }
}
