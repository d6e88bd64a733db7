// What a patch makes of an object, and which values of a manifest no rule can go by.

import { assertEquals } from "@std/assert";
import { parseAllDocuments } from "yaml";
import { lint } from "../../src/lint/lint.ts";
import { patchedObjects } from "../../src/lint/manifest_merge.ts";
import { weirPods } from "../../src/lint/manifest_pods.ts";
import { configSchema } from "../../src/config/schema.ts";

const read = (text: string) => parseAllDocuments(text).map((document) => document.toJS());
const deployment = (container: string) =>
  `kind: Deployment\nmetadata: {name: weir}\nspec: {template: {spec: {containers: [${container}]}}}\n`;

/** What a patch changes in the container `weir`. */
function patched(container: string, patch: string): unknown {
  const whole = deployment(container).replace("spec: {", "spec: {selector: {}, ");
  const [pod] = weirPods(read(`${deployment(patch)}---\n${whole}`));
  return pod?.containers;
}

const PATCHES: readonly [what: string, before: string, patch: string, after: unknown][] = [
  [
    "maps are merged",
    "{name: weir, livenessProbe: {httpGet: {path: /livez, port: admin}}}",
    "{name: weir, livenessProbe: {httpGet: {path: /readyz}, periodSeconds: 3}}",
    [{ name: "weir", livenessProbe: { httpGet: { path: "/readyz", port: "admin" }, periodSeconds: 3 } }],
  ],
  [
    "nothing takes away what was there",
    "{name: weir, livenessProbe: {httpGet: {port: admin}}}",
    "{name: weir, livenessProbe: {httpGet: , tcpSocket: {port: 80}}}",
    [{ name: "weir", livenessProbe: { httpGet: null, tcpSocket: { port: 80 } } }],
  ],
  [
    "a map is replaced or taken away where the patch says so",
    "{name: weir, livenessProbe: {httpGet: {port: admin}}, lifecycle: {preStop: {sleep: {seconds: 9}}}}",
    "{name: weir, livenessProbe: {$patch: replace, exec: {command: [x]}}, lifecycle: {$patch: delete}}",
    [{ name: "weir", livenessProbe: { exec: { command: ["x"] } }, lifecycle: null }],
  ],
  [
    "lists of what has a name of its own are merged, others replaced",
    "{name: weir, args: [run, -a], env: [{name: A, value: a}, {name: B, value: b}], ports: [{containerPort: 80}]}, {name: mesh}",
    "{name: weir, args: [run], env: [{name: B, value: c}], ports: [{containerPort: '80', name: http}, {containerPort: 81}]}",
    [{
      name: "weir",
      args: ["run"],
      env: [{ name: "A", value: "a" }, { name: "B", value: "c" }],
      ports: [{ containerPort: "80", name: "http" }, { containerPort: 81 }],
    }, { name: "mesh" }],
  ],
  [
    "an element is taken away where the patch says so",
    "{name: weir, volumeMounts: [{name: a, mountPath: /a, subPath: a}, {name: b, mountPath: /b}]}, {name: mesh}",
    "{name: weir, volumeMounts: [{mountPath: /a, $patch: delete}]}, {name: mesh, $patch: delete}",
    [{ name: "weir", volumeMounts: [{ name: "b", mountPath: "/b" }] }],
  ],
  [
    "a list is replaced where the patch says so",
    "{name: weir}, {name: mesh}",
    "{$patch: replace}, {name: weir, image: x}",
    [{ name: "weir", image: "x" }],
  ],
  [
    "what has no name is added",
    "{name: weir, env: [null, {value: a}]}",
    "{name: weir, env: [7, {value: b}, [c]]}",
    [{ name: "weir", env: [null, { value: "a" }, 7, { value: "b" }, ["c"]] }],
  ],
];

for (const [what, before, patch, after] of PATCHES) {
  Deno.test(`patchedObjects(): ${what}`, () => assertEquals(patched(before, patch), after));
}

Deno.test("patchedObjects() takes names of what every object inherits for names", () => {
  const odd = (value: string) =>
    `kind: X\nmetadata: {name: a}\nspec: {constructor: [${value}], toString: {valueOf: ${value}}, __proto__: {a: 1}}\n`;
  const [object] = patchedObjects(read(`${odd("1")}---\n${odd("2")}`)) as { spec: Record<string, unknown> }[];
  assertEquals(Object.entries(object!.spec).slice(0, 2), [["constructor", [2]], ["toString", {
    valueOf: 2,
  }]]);
});

/** Names of the rules that find something in a pod. */
const rulesOf = (spec: string) =>
  lint(configSchema.parse({ upstreams: { app: { endpoints: ["k8s://app:http"] } } }), {
    placeOf: () => "f",
    origins: new Map(),
    manifest: read(`kind: Pod\nspec: ${spec}\n`.replaceAll("\n", "\r\n")),
  }).map(({ rule }) => rule);

Deno.test("lint() beside manifests: what is filled in later, empty or of another kind is nothing to go by", () => {
  const long = "terminationGracePeriodSeconds: '60'";
  const pods = [
    "{terminationGracePeriodSeconds: '${GRACE}', containers: [{name: weir}]}",
    `{${long}, containers: [{name: weir, ports: [{containerPort: }, {containerPort: {a: 1}}]}]}`,
    `{${long}, containers: [{name: weir, ports: [{containerPort: '\${PORT}'}, {containerPort: 9901}]}]}`,
    `{${long}, volumes: 3, containers: [{name: {toString: 1}, image: [x], command: 7, args: {a: b}, env: x, envFrom: y,
      ports: {a: 1}, volumeMounts: [3, {}], startupProbe: 1, livenessProbe: {httpGet: 3, exec: [x]}, readinessProbe: [1], lifecycle: [2]}]}`,
    `{${long}, volumes: [{name: a, configMap: 3}], containers: [{name: weir, command: [{toString: 1}], args: [null, {toString: 1}],
      env: [{name: {toString: 1}, value: {a: 1}}, {name: CONFIG, value: {toString: 1}}], lifecycle: {preStop: {sleep: 3, exec: {command: x}}},
      livenessProbe: {httpGet: {port: {toString: 1}, path: {b: 2}}, periodSeconds: {a: 1}}, volumeMounts: [{name: a, mountPath: {}, subPath: 3}]}]}`,
  ];
  for (const spec of pods) assertEquals(rulesOf(spec), [], spec);
});

Deno.test("lint() beside manifests: a command that starts Weir is Weir's, and what it sleeps before counts", () => {
  const app = "{name: app, lifecycle: {preStop: {sleep: {seconds: 90}}}}";
  for (
    const command of ["[deno, run, src/main.ts]", "[sh, -c, 'exec deno run src/main.ts run']", "[/bin/weir]"]
  ) {
    assertEquals(
      rulesOf(`{terminationGracePeriodSeconds: 40, containers: [{name: weir, command: ${command}}, ${app}]}`),
      [],
    );
  }
  for (const sleep of ["[sleep, '15']", "[/bin/sh, -c, 'echo; sleep 15s; echo']"]) {
    const weir = `{name: weir, lifecycle: {preStop: {exec: {command: ${sleep}}}}}`;
    assertEquals(rulesOf(`{terminationGracePeriodSeconds: 40, containers: [${weir}]}`), [
      "drain-beyond-grace",
    ]);
    assertEquals(rulesOf(`{terminationGracePeriodSeconds: 46, containers: [${weir}]}`), []);
  }
});
