// What must hold for manifests beyond their types: safe pods, names and numbers that agree with each other.

import { assert, assertArrayIncludes, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { lint } from "../../../src/lint/lint.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { Config } from "../../../src/config/schema.ts";
import { faultsOf, type Manifest } from "./manifests.ts";

/** Pods that some objects make, with the objects they come in. */
function workloads(objects: readonly Manifest[]): Manifest[] {
  return objects.filter(({ kind }) => kind === "Deployment");
}

/** What must hold for any set of objects that are applied together. */
export function judge(objects: readonly Manifest[]): void {
  for (const object of objects) assertEquals(faultsOf(object), [], object?.metadata?.name);
  for (const deployment of workloads(objects)) {
    assertRestricted(deployment.spec.template.spec);
    assertContainersAreLookedAfter(deployment.spec.template.spec);
    assertSelectorsMatch(deployment, objects);
  }
  for (const service of objects.filter(({ kind }) => kind === "Service")) assertPortsExist(service, objects);
}

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
function assertRestricted(pod: Manifest): void {
  for (const host of ["hostNetwork", "hostPID", "hostIPC"]) assert(!pod[host]);
  assertEquals(pod.securityContext.runAsNonRoot, true);
  assertEquals(pod.securityContext.runAsUser, 65532);
  assertEquals(pod.securityContext.seccompProfile, { type: "RuntimeDefault" });
  const volumeKinds = (pod.volumes ?? []).flatMap((v: Manifest) =>
    Object.keys(v).filter((key) => key !== "name")
  );
  for (const kind of volumeKinds) {
    assertArrayIncludes(["configMap", "secret", "projected", "emptyDir"], [kind]);
  }
  for (const { securityContext, ports } of pod.containers) {
    assertEquals(securityContext.allowPrivilegeEscalation, false);
    assertEquals(securityContext.readOnlyRootFilesystem, true);
    assertEquals(securityContext.capabilities, { drop: ["ALL"] });
    assert(!securityContext.privileged);
    for (const { hostPort } of ports) assertEquals(hostPort, undefined);
  }
}

function assertContainersAreLookedAfter(pod: Manifest): void {
  assertEquals(pod.enableServiceLinks, false);
  for (const { ports, resources, readinessProbe, livenessProbe, image } of pod.containers) {
    assert(readinessProbe && livenessProbe);
    const names = ports.map(({ name }: Manifest) => name);
    for (const probe of [readinessProbe, livenessProbe]) {
      assertArrayIncludes(names, [probe.httpGet?.port ?? probe.tcpSocket?.port]);
    }
    assert(resources.requests.cpu && resources.requests.memory && resources.limits.memory);
    assert(/:\d+\.\d+\.\d+$/.test(image), `${image} must name a version`);
  }
}

function assertSelectorsMatch(deployment: Manifest, objects: readonly Manifest[]): void {
  const labels = deployment.spec.template.metadata.labels;
  const selects = (selector: Record<string, string>) =>
    Object.entries(selector).every(([name, value]) => labels[name] === value);
  assert(selects(deployment.spec.selector.matchLabels));
  const { topologySpreadConstraints = [] } = deployment.spec.template.spec;
  for (const { labelSelector } of topologySpreadConstraints) assert(selects(labelSelector.matchLabels));
  const own = objects.filter(({ kind, metadata }) =>
    kind !== "Deployment" && metadata.name === deployment.metadata.name
  );
  for (const { kind, spec } of own) {
    if (kind === "Service") assert(selects(spec.selector));
    if (kind === "PodDisruptionBudget") assert(selects(spec.selector.matchLabels));
    if (kind === "NetworkPolicy") assert(selects(spec.podSelector.matchLabels));
    if (kind === "HorizontalPodAutoscaler") assertEquals(spec.scaleTargetRef.name, deployment.metadata.name);
  }
}

function assertPortsExist(service: Manifest, objects: readonly Manifest[]): void {
  const deployment = workloads(objects).find(({ metadata }) => metadata.name === service.metadata.name);
  const names = deployment.spec.template.spec.containers[0].ports.map(({ name }: Manifest) => name);
  assertArrayIncludes(names, service.spec.ports.map(({ targetPort }: Manifest) => targetPort));
}

export const weirPod = (objects: readonly Manifest[]): Manifest =>
  objects.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === "weir").spec.template.spec;

/** What a pod with these objects runs on: read, refused and linted as Weir itself does it. */
export async function weirConfig(objects: readonly Manifest[]): Promise<Config> {
  const { data } = objects.find(({ kind }) => kind === "ConfigMap");
  const [container] = weirPod(objects).containers;
  const plain = container.env.filter(({ value }: Manifest) => value !== undefined);
  const loaded = await loadConfig({
    args: [],
    env: Object.fromEntries(plain.map(({ name, value }: Manifest) => [name, value])),
    readTextFile: async (path) => data[path.replace("/etc/weir/", "")],
  });
  assert(loaded.ok, JSON.stringify(loaded));
  assertEquals(loaded.text, data["weir.yaml"]);
  assertEquals(lint(loaded.config, { ...loaded, manifest: objects }), []);
  return loaded.config;
}

/** Numbers and names in Weir's own objects that mean the same thing twice. */
export async function judgeWeir(objects: readonly Manifest[]): Promise<void> {
  const pod = weirPod(objects);
  const [container] = pod.containers;
  const config = await weirConfig(objects);
  const marginMs = 5_000;
  assertGreaterOrEqual(
    pod.terminationGracePeriodSeconds * 1_000,
    config.drain.delayMs + config.drain.deadlineMs + marginMs,
  );
  const ports = Object.fromEntries(container.ports.map((p: Manifest) => [p.name, p.containerPort]));
  const { listen, admin } = config;
  const expected = listen.tls === undefined
    ? { http: listen.port, admin: admin.port }
    : { https: listen.port, http: listen.tls.redirectPort, admin: admin.port };
  assertEquals(ports, expected);
  const mount = container.volumeMounts.find(({ name }: Manifest) => name === "config");
  assertEquals([mount.mountPath, mount.subPath], ["/etc/weir", undefined]);
}
