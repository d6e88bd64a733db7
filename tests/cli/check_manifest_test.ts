// `weir check --manifest`: the configuration held against the manifests that it is deployed with, for CI.

import { assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { runWeir } from "../support/weir.ts";

const UPSTREAMS = "http://10.0.0.1:8080";

/** The whole of a run's output with its exit code. */
async function check(manifest: string, env: Record<string, string> = {}, readable: string | null = null) {
  const { code, stdout, stderr } = await runWeir(["check", "--manifest", manifest], {
    UPSTREAMS,
    ...env,
  }, readable);
  assertNotMatch(stdout + stderr, /\bat .*\.ts:\d+/);
  return { code, stdout, stderr };
}

/** Writes a folder of manifests, or nothing, and removes it afterwards. */
async function inFolder(files: Record<string, string>, look: (folder: string) => Promise<void>) {
  await using folder = await TemporaryFolder.make();
  for (const [name, text] of Object.entries(files)) await folder.write(name, text);
  await look(folder.path);
}

const deployment = (seconds: number) =>
  `kind: Deployment
spec:
  template:
    spec:
      terminationGracePeriodSeconds: ${seconds}
      containers: [{name: weir, image: "weir:1"}]
`;

Deno.test("check --manifest finds nothing to say of the manifests that Weir comes with", async () => {
  for (const path of ["k8s/", "k8s", "k8s/deployment.yaml"]) {
    const { code, stderr } = await check(path);
    assertEquals([code, stderr], [0, ""]);
  }
});

Deno.test("check --manifest takes an overlay's patch for a part of what it patches", async () => {
  const all = (...paths: string[]) =>
    runWeir(["check", ...paths.flatMap((path) => ["--manifest", path])], { UPSTREAMS });
  const { code, stderr } = await all("k8s", "k8s/overlays/tls");
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("check --manifest exits 1 when the pod is killed before it has drained, and says what to write", async () => {
  const { code, stdout, stderr } = await check("k8s/", { DRAIN_DEADLINE_MS: "600000" });
  assertEquals(code, 1);
  assertMatch(stdout, /deadlineMs.*600000/);
  assertMatch(
    stderr,
    /^error: drain\.deadlineMs is 600000: .* \(variable DRAIN_DEADLINE_MS\) \[drain-beyond-grace\]/,
  );
  assertMatch(stderr, /why: .*\n +fix: Set terminationGracePeriodSeconds to 610/);
});

Deno.test("check --manifest exits 0 with a warning, as without a manifest", async () => {
  const { code, stderr } = await check("k8s/deployment.yaml", { TRUSTED_PROXIES: "0.0.0.0/0" });
  assertEquals(code, 0);
  assertStringIncludes(stderr, "warning: trustedProxies[0] is 0.0.0.0/0");
});

Deno.test("check --manifest reads every document of every file of a folder, and no other file", async () => {
  const files = {
    "a.yml": `kind: Service\n---\n# nothing\n---\n${deployment(60)}`,
    "b.yaml": deployment(20),
    "README.md": "{{",
  };
  await inFolder(files, async (folder) => {
    const { code, stderr } = await check(folder, {}, `${folder}/x`);
    assertEquals([code, stderr.match(/drain-beyond-grace/g)?.length], [1, 1]);
    assertStringIncludes(stderr, "terminationGracePeriodSeconds is 20");
  });
});

Deno.test("check --manifest may be repeated, and every one of them counts", async () => {
  await inFolder({ "a.yaml": deployment(20), "b.yaml": deployment(60) }, async (folder) => {
    const args = ["check", "--manifest", `${folder}/a.yaml`, `--manifest=${folder}/b.yaml`];
    const { code, stderr } = await runWeir(args, { UPSTREAMS }, `${folder}/x`);
    assertEquals([code, stderr.match(/drain-beyond-grace/g)?.length], [1, 1]);
  });
});

Deno.test("check --manifest takes a merge key for what it merges, as kubectl does", async () => {
  const base = "x-base: &base {terminationGracePeriodSeconds: 60}\n";
  await inFolder(
    { "a.yaml": `${base}kind: Pod\nspec: {<<: *base, containers: [{name: weir}]}\n` },
    async (folder) => {
      const { code, stderr } = await check(folder, {}, `${folder}/x`);
      assertEquals([code, stderr], [0, ""]);
    },
  );
});

Deno.test("check --manifest takes what a patch leaves out or empty as not written", async () => {
  const pods = [
    "spec: {containers: }",
    "spec: {containers: [null]}",
    "spec: {containers: {name: weir}}",
    "spec: {containers: [{name: , image: , command: , lifecycle: }], terminationGracePeriodSeconds: }",
    "spec: {containers: [{name: weir, lifecycle: {preStop: {sleep: {seconds: soon}}}}]}",
    "spec: ",
  ];
  const files = Object.fromEntries(pods.map((pod, i) => [`${i}.yaml`, `kind: Pod\n${pod}\n`]));
  await inFolder(files, async (folder) => {
    const { code, stderr } = await check(folder, { DRAIN_DEADLINE_MS: "1000" }, `${folder}/x`);
    assertEquals([code, stderr], [0, ""]);
  });
});

Deno.test("check --manifest refuses an alias that stands for nothing, for too much or for itself", async () => {
  const powers = Array.from({ length: 5 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}]`);
  const files = {
    "a.yaml": "spec: *nobody\n",
    "b.yaml": `a0: &a0 [x]\n${powers.join("\n")}\n`,
    "c.yaml": "&list\nkind: List\nitems: [*list]\n",
    "d.yaml": "kind: Pod\nspec: &spec {containers: [{name: weir, env: [*spec]}]}\n",
  };
  for (const name of Object.keys(files)) {
    await inFolder(files, async (folder) => {
      const { code, stderr } = await check(`${folder}/${name}`, {}, `${folder}/x`);
      assertEquals(code, 64);
      assertMatch(stderr, new RegExp(`/${name} is not YAML: .*alias`));
    });
  }
});

Deno.test("check --manifest exits 64 when there is nothing to hold the configuration against", async () => {
  const none = await check("k9s/");
  assertEquals(none.code, 64);
  assertStringIncludes(none.stderr, "k9s/ cannot be read: there is no such file (flag --manifest)");
  const unnamed = await check("");
  assertEquals(unnamed.code, 64);
  assertEquals(unnamed.stderr, "--manifest is empty, must be --manifest PATH (flag --manifest)\n");
  const elsewhere = await check("/etc/hostname");
  assertEquals(elsewhere.code, 64);
  assertStringIncludes(
    elsewhere.stderr,
    "/etc/hostname cannot be read: it lies outside of what this process may read",
  );
  const named = await check("k8s/overlays/cluster-ip");
  assertEquals([named.code, named.stdout], [64, ""]);
  assertMatch(
    named.stderr,
    /^k8s\/overlays\/cluster-ip holds no pod, must have the Deployment that runs Weir .*\n$/,
  );
  await inFolder({ "a.yaml": "a: [", "b.txt": "x" }, async (folder) => {
    const broken = await check(folder, {}, `${folder}/x`);
    assertEquals(broken.code, 64);
    assertMatch(broken.stderr, /\/a\.yaml is not YAML: /);
    await Deno.remove(`${folder}/a.yaml`);
    const empty = await check(folder, {}, `${folder}/x`);
    assertEquals(empty.code, 64);
    assertMatch(
      empty.stderr,
      / holds no objects, must be YAML files of Kubernetes objects \(flag --manifest\)/,
    );
  });
});
