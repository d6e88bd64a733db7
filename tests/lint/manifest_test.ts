// What lint rules say of manifests: which pods and containers are Weir's, and what an overlay makes of them.

import { assertEquals } from "@std/assert";
import { parseAllDocuments } from "yaml";
import { lint } from "../../src/lint/lint.ts";
import { configSchema } from "../../src/config/schema.ts";

/** The states of all findings about a configuration that drains for 5 and 20 seconds, beside these manifests. */
function found(manifest: string, input: object = {}): string[] {
  const read = parseAllDocuments(manifest);
  assertEquals(read.flatMap(({ errors }) => errors), []);
  const objects = read.map((document) => document.toJS());
  return lint(configSchema.parse({ drain: { delayMs: 5_000, deadlineMs: 20_000 }, ...input }), {
    placeOf: () => "f",
    origins: new Map(),
    manifest: objects,
  }).map(({ subject, state }) => `${subject} ${state}`);
}

/** A Deployment, or a patch of it. */
const deployment = (spec: string, name = "weir") =>
  `kind: Deployment\nmetadata: {name: ${name}, namespace: edge}\nspec: {template: {spec: ${spec}}}\n`;
const documents = (...texts: string[]) => texts.join("\n---\n");

const tooShort = (drainMs: number, graceS: string, own = "20000") =>
  `drain.deadlineMs is ${own}: draining takes up to ${drainMs} ms, preStop and delay included, ` +
  `but terminationGracePeriodSeconds is ${graceS}`;
const noDelay = (by: string) => `drain.delayMs is 0 ${by}in a pod without a preStop sleep`;
const port = (name: string, is: string, ports: string) =>
  `${name} is ${is}, but the pod's containerPorts are ${ports}`;

const sleeps = (seconds: number) => `lifecycle: {preStop: {sleep: {seconds: ${seconds}}}}`;
const weir = (rest: string) => `{containers: [{name: weir, ${rest}}]}`;
const args = (words: string) => weir(`args: [run, ${words}]`);
const env = (name: string, value: string) => weir(`env: [{name: ${name}, value: "${value}"}]`);

/** What is looked at, the manifests, and what is said of them. */
const stories: readonly [what: string, manifest: string, ...said: string[]][] = [
  ["the grace period that a pod has by default", deployment(weir(sleeps(4)))],
  ["a preStop beyond it", deployment(weir(sleeps(5))), tooShort(30_000, "30 (the default)")],
  [
    "a grace period that a patch takes away",
    documents(
      deployment("{terminationGracePeriodSeconds: 40}"),
      deployment(`{terminationGracePeriodSeconds: , containers: [{name: weir, ${sleeps(5)}}]}`),
    ),
    tooShort(30_000, "30 (the default)"),
  ],
  [
    "a deadline by a flag",
    deployment(args("--drain-deadline-ms=25000")),
    tooShort(30_000, "30 (the default)", "25000 by the manifest"),
  ],
  [
    "a flag that is a number",
    deployment(args("--drain-deadline-ms, 25000")),
    tooShort(30_000, "30 (the default)", "25000 by the manifest"),
  ],
  ["the last of several flags", deployment(args("--drain-deadline-ms=25000, --drain-deadline-ms=24999"))],
  ["a flag whose name only begins so", deployment(args("--drain-deadline-ms-25000"))],
  [
    "a variable with blanks",
    deployment(env("DRAIN_DEADLINE_MS", " 25000 ")),
    tooShort(30_000, "30 (the default)", "25000 by the manifest"),
  ],
  ["a variable that has no number", deployment(env("DRAIN_DEADLINE_MS", "$(ELSEWHERE)"))],
  ["no delay by a variable", deployment(env("DRAIN_DELAY_MS", "0")), noDelay("by the manifest, ")],

  // Which pods and containers are looked at.
  ["a Pod", `kind: Pod\nspec: ${args("--drain-delay-ms=0")}`, noDelay("by the manifest, ")],
  [
    "a List",
    `kind: List\nitems: [{kind: Pod, spec: ${args("--drain-delay-ms=0")}}]`,
    noDelay("by the manifest, "),
  ],
  [
    "containers that are Weir's by their image, and others",
    documents(
      deployment(
        "{containers: [{name: proxy, image: 'a/weir:1'}, {name: app, env: [{name: DRAIN_DELAY_MS, value: '0'}]}]}",
      ),
      deployment("{terminationGracePeriodSeconds: 1, containers: [{name: app, image: 'a/app:1'}]}", "app"),
    ),
  ],
  [
    "containers without a name",
    deployment("{containers: [{image: weir}, {image: app, env: [{name: DRAIN_DELAY_MS, value: '0'}]}]}"),
  ],
  [
    "another program of the image",
    documents(
      deployment("{containers: [{image: 'a/weir:1'}]}"),
      deployment("{terminationGracePeriodSeconds: 1, containers: [{image: 'a/weir:1', command: [sh]}]}", "b"),
    ),
  ],
  [
    "an entry point that is left as it is",
    documents(
      deployment(
        `{terminationGracePeriodSeconds: 1, containers: [{name: weir, command: []}, {name: b, ${
          sleeps(90)
        }}]}`,
      ),
      deployment("{terminationGracePeriodSeconds: 2, containers: [{name: weir, command: }]}", "b"),
    ),
    tooShort(25_000, "1"),
    tooShort(25_000, "2"),
  ],
  [
    "objects of one name that are not one",
    documents(
      deployment(args("--drain-deadline-ms=25000")).replace("Deployment", "StatefulSet"),
      deployment(args("--drain-deadline-ms=25000")).replace("edge", "other"),
      deployment(args("--drain-deadline-ms=25000"), "other"),
      deployment(args("")),
    ),
    ...Array(3).fill(tooShort(30_000, "30 (the default)", "25000 by the manifest")),
  ],
  [
    "objects without a name",
    documents(
      "kind: Pod\nspec: {containers: [{image: weir}]}",
      `kind: Pod\nspec: {terminationGracePeriodSeconds: 1, containers: [{name: weir}]}`,
      `kind: Pod\nspec: {terminationGracePeriodSeconds: 60, containers: [{name: weir}]}`,
    ),
    tooShort(25_000, "1"),
  ],
  [
    "a pod whose name only holds Weir's",
    documents(
      deployment("{terminationGracePeriodSeconds: 1, containers: [{name: weird}]}", "b"),
      deployment(weir("")),
    ),
  ],
  [
    "a Job that only checks",
    documents(
      deployment(`{terminationGracePeriodSeconds: 1, ${weir("args: [check]").slice(1)}`).replace(
        "Deployment",
        "Job",
      ),
      deployment(weir("args: [run]")),
    ),
  ],
  [
    "a sidecar beside an application",
    deployment(
      `{terminationGracePeriodSeconds: 20, containers: [{name: app, ${sleeps(90)}}], ` +
        "initContainers: [{name: weir, restartPolicy: Always, args: [run, --drain-delay-ms=0]}]}",
    ),
    tooShort(20_000, "20"),
    noDelay("by the manifest, "),
  ],
  [
    "a sidecar that a patch changes by its name",
    documents(
      deployment("{initContainers: [{name: weir, restartPolicy: Always}], containers: [{name: app}]}"),
      deployment("{initContainers: [{name: weir, env: [{name: DRAIN_DELAY_MS, value: '0'}]}]}"),
    ),
    noDelay("by the manifest, "),
  ],
  [
    "a container that ends before the others start",
    documents(
      deployment(
        "{terminationGracePeriodSeconds: 1, initContainers: [{name: weir}], containers: [{name: app}]}",
        "app",
      ),
      deployment(weir("args: [run]")),
    ),
  ],

  // What an overlay changes.
  [
    "a patch of other settings",
    documents(deployment(weir(sleeps(60))), deployment("{terminationGracePeriodSeconds: 90}")),
  ],
  [
    "a patch that comes first",
    documents(deployment("{terminationGracePeriodSeconds: 90}"), deployment(weir(sleeps(60)))),
  ],
  [
    "a patch of an image's container that has only its name",
    documents(
      deployment(`{containers: [{name: main, image: weir}, {name: b, ${sleeps(1)}}]}`),
      deployment("{containers: [{name: main, env: [{name: DRAIN_DELAY_MS, value: '0'}]}]}"),
    ),
    noDelay("by the manifest, "),
  ],
  [
    "a patch that comes before the whole object",
    documents(
      deployment(weir(sleeps(1))),
      deployment(weir(sleeps(60))).replace("spec: {", "spec: {selector: {matchLabels: {app: weir}}, "),
    ),
  ],
  ["a shorter preStop", documents(deployment(weir(sleeps(60))), deployment(weir(sleeps(1))))],
  ["a preStop that is taken away", documents(deployment(weir(sleeps(60))), deployment(weir("lifecycle: ")))],
  ["other flags", documents(deployment(args("--drain-deadline-ms=60000")), deployment(args("")))],
  [
    "another value of a variable",
    documents(deployment(env("DRAIN_DELAY_MS", "60000")), deployment(env("DRAIN_DELAY_MS", "1"))),
  ],
  [
    "another variable",
    documents(deployment(env("DRAIN_DELAY_MS", "0")), deployment(env("PORT", "80"))),
    noDelay("by the manifest, "),
  ],

  // Ports.
  [
    "ports of a base and of its patch",
    documents(
      deployment(weir("ports: [{containerPort: 3000}]")),
      deployment(weir("ports: [{containerPort: 9901}]")),
    ),
  ],
  [
    "a port that is a text",
    deployment(weir("ports: [{containerPort: '3000'}, {containerPort: http}, null]")),
    port("admin.port", "9901", "3000"),
  ],
  [
    "ports by variables",
    deployment(
      weir(
        "ports: [{containerPort: 1}, {containerPort: 2}], env: [{name: PORT, value: '1'}, {name: ADMIN_PORT, value: '2'}]",
      ),
    ),
  ],
  [
    "ports by variables that are not among the pod's",
    deployment(
      weir(
        "ports: [{containerPort: 3000}, {containerPort: 9901}], env: [{name: PORT, value: '1'}, {name: ADMIN_PORT, value: '2'}]",
      ),
    ),
    port("listen.port", "1 by the manifest", "3000, 9901"),
    port("admin.port", "2 by the manifest", "3000, 9901"),
  ],
  [
    "ports by flags that are not among the pod's",
    deployment(
      weir("ports: [{containerPort: 3000}, {containerPort: 9901}], args: [run, --port, 1, --admin-port=2]"),
    ),
    port("listen.port", "1 by the manifest", "3000, 9901"),
    port("admin.port", "2 by the manifest", "3000, 9901"),
  ],
  [
    "ports that stand elsewhere",
    deployment(
      weir("ports: [{containerPort: 1}], args: [--port=$(P)], env: [{name: ADMIN_PORT, valueFrom: {}}]"),
    ),
  ],
  ["ports that may stand elsewhere", deployment(weir("ports: [{containerPort: 1}], envFrom: [{}]"))],
  [
    "an empty list of what may set ports",
    deployment(weir("ports: [{containerPort: 3000}], envFrom: []")),
    port("admin.port", "9901", "3000"),
  ],
];

for (const [what, manifest, ...said] of stories) {
  Deno.test(`lint() beside manifests: ${what}`, () => assertEquals(found(manifest), said));
}

Deno.test("lint() beside manifests: nothing they say sets the port that redirects", () => {
  const tls = { certFile: "c", keyFile: "k", redirectPort: 8_080 };
  const manifest = deployment(weir("ports: [{containerPort: 3000}, {containerPort: 9901}], envFrom: [{}]"));
  assertEquals(found(manifest, { listen: { tls } }), [port("listen.tls.redirectPort", "8080", "3000, 9901")]);
});
