// The manifests of k8s/: valid to the letter, safe to run, and in step with each other and with Weir.

import { assert, assertArrayIncludes, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { faultsOf, type Manifest, manifestsIn, objectsIn, pathOf } from "./support/manifests.ts";
import { judge, judgeWeir, weirConfig, weirPod } from "./support/policy.ts";

const base = manifestsIn("k8s/");
const demo = manifestsIn("k8s/demo/");
const overlays = [...Deno.readDirSync(pathOf("k8s/overlays/"))].map(({ name }) => name).sort();

const only = (file: string, from = base): Manifest => from.get(file)?.[0];

Deno.test("each manifest file holds one object, named after its kind", () => {
  for (const [file, objects] of [...base, ...demo]) {
    assertEquals(objects.length, 1, file);
    assertEquals(file, `${objects[0].kind.toLowerCase()}.yaml`);
  }
});

Deno.test("the manifests are valid, restricted, looked after and in step", async () => {
  judge([...base.values()].flat());
  judge([...demo.values()].flat());
  await judgeWeir([...base.values()].flat());
});

Deno.test("`kubectl apply -f k8s` finds objects only, in whatever namespace", () => {
  assert(!base.has("kustomization.yaml"));
  for (const [file, [object]] of [...base, ...demo] as [string, Manifest[]][]) {
    assertEquals(object.metadata.namespace, undefined, file);
    assert(!JSON.stringify(object).includes('"namespace":'), file);
  }
});

Deno.test("a second `kubectl apply` does not undo what the autoscaler did", () => {
  assertEquals(only("deployment.yaml").spec.replicas, undefined);
  assertGreaterOrEqual(only("horizontalpodautoscaler.yaml").spec.minReplicas, 2);
});

Deno.test("a rollout takes no pod away before its successor is ready, and known to what stands in front", () => {
  const { strategy, minReadySeconds } = only("deployment.yaml").spec;
  assertEquals([strategy.rollingUpdate.maxUnavailable, strategy.rollingUpdate.maxSurge], [0, 1]);
  assertGreaterOrEqual(minReadySeconds ?? 0, 10);
});

Deno.test("the three probes ask the admin port, and only liveness is patient", async () => {
  const [container] = weirPod([...base.values()].flat()).containers;
  const asked = ["startup", "readiness", "liveness"].map((name) => container[`${name}Probe`].httpGet);
  assertEquals(asked, ["/startupz", "/readyz", "/livez"].map((path) => ({ path, port: "admin" })));
  const patience = (probe: Manifest) => probe.periodSeconds * probe.failureThreshold;
  // A pod that drains is out of its Services before it stops serving.
  const { drain } = await weirConfig([...base.values()].flat());
  assertGreaterOrEqual(drain.delayMs, patience(container.readinessProbe) * 1_000);
  assertGreaterOrEqual(patience(container.livenessProbe), 30);
});

Deno.test("scrape annotations and Service point at ports that exist", () => {
  const { annotations } = only("deployment.yaml").spec.template.metadata;
  assertEquals(annotations["prometheus.io/port"], "9901");
  assertEquals(annotations["prometheus.io/path"], "/metrics");
  const [port] = only("service.yaml").spec.ports;
  assertEquals([port.port, port.targetPort], [80, "http"]);
});

Deno.test("the admin port is open to this namespace and to monitoring, the traffic port to all", () => {
  const { ingress, policyTypes } = only("networkpolicy.yaml").spec;
  assertEquals(policyTypes, ["Ingress"]);
  const monitoring = { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } };
  assertEquals(ingress, [
    { ports: [{ port: "http", protocol: "TCP" }] },
    {
      from: [{ podSelector: {} }, { namespaceSelector: monitoring }],
      ports: [{ port: "admin", protocol: "TCP" }],
    },
  ]);
});

Deno.test("the service account may see EndpointSlices and nothing else", () => {
  assertEquals(only("role.yaml").rules, [
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
  ]);
  const binding = only("rolebinding.yaml");
  assertEquals(binding.roleRef.name, only("role.yaml").metadata.name);
  assertEquals(binding.subjects, [{
    kind: "ServiceAccount",
    name: only("serviceaccount.yaml").metadata.name,
  }]);
  assertEquals(
    weirPod([...base.values()].flat()).serviceAccountName,
    only("serviceaccount.yaml").metadata.name,
  );
});

Deno.test("every object carries the recommended labels", () => {
  for (const [file, [object]] of [...base, ...demo] as [string, Manifest[]][]) {
    assert(object.metadata.labels["app.kubernetes.io/name"], file);
    assert(object.metadata.labels["app.kubernetes.io/part-of"], file);
  }
});

Deno.test("the demo is the Service that the default configuration names", async () => {
  const { upstreams } = await weirConfig([...base.values()].flat());
  const service = only("service.yaml", demo);
  assertEquals(upstreams.default?.endpoints, [
    `k8s://${service.metadata.name}:${service.spec.ports[0].name}`,
  ]);
  const images = [only("deployment.yaml"), only("deployment.yaml", demo)].map(
    ({ spec }) => spec.template.spec.containers[0].image,
  );
  assertEquals(images[0], images[1]);
});

Deno.test("the strict check refuses what an API server with strict validation refuses", () => {
  const spoilt: [spoil: (deployment: Manifest) => void, says: string][] = [
    [
      (d) => d.spec.template.spec.containers[0].port = [],
      "/spec/template/spec/containers/0/port: unknown field",
    ],
    [(d) => d.spec.template.spec.containers[0].ports[0].hostport = 1, "ports/0/hostport: unknown field"],
    [(d) => d.metadata.label = {}, "/metadata/label: unknown field"],
    [(d) => d.specs = {}, "/specs: unknown field"],
    [(d) => d.spec.template.spec.containers[0].ports[0].containerPort = "3000", "ports/0/containerPort"],
    [(d) => delete d.spec.selector, "selector"],
    [(d) => d.spec.template.spec.volumes[0].configmap = {}, "volumes/0/configmap: unknown field"],
  ];
  for (const [spoil, says] of spoilt) {
    const deployment = structuredClone(only("deployment.yaml"));
    spoil(deployment);
    const faults = faultsOf(deployment);
    assert(faults.some((fault) => fault.includes(says)), `${says} in ${JSON.stringify(faults)}`);
  }
});

const kubectl = await new Deno.Command("kubectl", {
  args: ["version", "--client"],
  stdout: "null",
  stderr: "null",
})
  .output().then(({ success }) => success, () => false);
if (!kubectl) console.log("ignoring tests that need kubectl: the overlays are not built");

/** The objects that an overlay makes. */
async function built(overlay: string): Promise<Manifest[]> {
  const { stdout, stderr, success } = await new Deno.Command("kubectl", {
    args: ["kustomize", "--load-restrictor", "LoadRestrictionsNone", pathOf(`k8s/overlays/${overlay}`)],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return objectsIn(new TextDecoder().decode(stdout));
}

for (const overlay of overlays) {
  Deno.test({
    name: `the overlay ${overlay} builds, and all that holds for k8s/ holds for it`,
    ignore: !kubectl,
    fn: async () => {
      const objects = await built(overlay);
      // Whatever k8s/ gains, each overlay has too.
      const names = (all: readonly Manifest[]) => all.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      assertArrayIncludes(names(objects), names([...base.values()].flat()));
      judge(objects);
      await judgeWeir(objects);
    },
  });
}

Deno.test({
  name: "the overlay local stays one pod, however little CPU a share of its request is",
  ignore: !kubectl,
  fn: async () => {
    const { spec } = (await built("local")).find(({ kind }) => kind === "HorizontalPodAutoscaler");
    assertEquals([spec.minReplicas, spec.maxReplicas], [1, 1]);
  },
});
