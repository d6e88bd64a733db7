// Lint rules about what Weir's pods see of the cluster and of their clients.

import { a, b, type LintRow, weirPod as pod } from "./row.ts";

const followed = { upstreams: { app: { endpoints: [a, "k8s://app:http", { url: "k8s://app.shop:80" }] } } };
const token = { name: "token", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" };
const account = (name: string, namespace: string, automountServiceAccountToken: boolean) => ({
  kind: "ServiceAccount",
  metadata: { name, namespace },
  automountServiceAccountToken,
});
/** A Deployment in the namespace `edge`. */
const deployment = (spec: object, labels: object = { app: "weir", tier: "edge" }) => ({
  kind: "Deployment",
  metadata: { name: "weir", namespace: "edge" },
  spec: { template: { metadata: { labels }, spec: { containers: [{ name: "weir" }], ...spec } } },
});
const service = (spec: object, metadata: object = {}) => ({
  kind: "Service",
  metadata: { name: "public", ...metadata },
  spec: { selector: { app: "weir" }, type: "LoadBalancer", ...spec },
});
const perClient = {
  upstreams: { app: { endpoints: [a, b] } },
  routes: [{ upstream: "app", rateLimit: { requestsPerSecond: 9 } }],
};

export const manifestClusterRows: readonly LintRow[] = [
  {
    rule: "kubernetes-without-token",
    bites: followed,
    with: pod({}, { automountServiceAccountToken: false }),
    subjects: ["upstreams.app.endpoints[1]", "upstreams.app.endpoints[2]"],
    severity: "error",
    fine: { upstreams: { app: { endpoints: [a, "dns+http://app:80"] } } },
    fineWith: pod({}, { automountServiceAccountToken: false }),
  },
  {
    rule: "kubernetes-without-token",
    bites: followed,
    with: { manifest: [account("lb", "edge", false), deployment({ serviceAccountName: "lb" })] },
    subjects: ["upstreams.app.endpoints[1]", "upstreams.app.endpoints[2]"],
    severity: "error",
    fine: followed,
    // What the pod says counts before its account; accounts of other names and namespaces do not.
    fineWith: {
      manifest: [
        account("lb", "edge", false),
        account("default", "shop", false),
        deployment({ serviceAccountName: "lb", automountServiceAccountToken: true }),
        { ...deployment({}), metadata: { name: "b", namespace: "edge" } },
      ],
    },
  },
  {
    rule: "kubernetes-without-token",
    bites: followed,
    with: {
      manifest: [account("default", "edge", false), deployment({ automountServiceAccountToken: null })],
    },
    subjects: ["upstreams.app.endpoints[1]", "upstreams.app.endpoints[2]"],
    severity: "error",
    fine: followed,
    // A token that is mounted by hand.
    fineWith: pod({ volumeMounts: [token] }, { automountServiceAccountToken: false }),
  },
  {
    rule: "kubernetes-without-token",
    bites: followed,
    with: pod({ name: "lb" }, { automountServiceAccountToken: false }),
    subjects: ["upstreams.app.endpoints[1]", "upstreams.app.endpoints[2]"],
    severity: "error",
    fine: followed,
    // Another pod's, and pods of which none is known for Weir's.
    fineWith: {
      manifest: ["app", "lb"].flatMap((name) =>
        pod({ name }, { automountServiceAccountToken: false }).manifest
      ),
    },
  },
  {
    rule: "client-address-of-node",
    bites: perClient,
    with: { manifest: [deployment({}), service({})] },
    subjects: ["routes[0].rateLimit.key"],
    severity: "warning",
    fine: perClient,
    fineWith: { manifest: [deployment({}), service({ externalTrafficPolicy: "Local" })] },
  },
  {
    rule: "client-address-of-node",
    bites: {
      listen: { listener: "wire", connectionsPerAddressMax: 100 },
      upstreams: { a: { endpoints: [a], balance: { policy: "consistent_hash" } }, b: { endpoints: [b] } },
      routes: [{ split: [{ upstream: "a", weight: 1 }, { upstream: "b", weight: 1 }], splitSticky: true }],
    },
    with: { manifest: [deployment({}), service({ type: "NodePort", externalTrafficPolicy: "Cluster" })] },
    subjects: ["listen.connectionsPerAddressMax", "routes[0].splitSticky", "upstreams.a.balance.hashOn"],
    severity: "warning",
    fine: {
      listen: { connectionsPerAddressMax: 100 },
      upstreams: {
        a: { endpoints: [a], balance: { policy: "consistent_hash", hashOn: "path" } },
        b: { endpoints: [b] },
      },
      routes: [{
        upstream: "a",
        splitSticky: true,
        rateLimit: { requestsPerSecond: 9, key: { header: "x-key" } },
      }],
    },
    fineWith: { manifest: [deployment({}), service({})] },
  },
  {
    rule: "client-address-of-node",
    bites: perClient,
    // A patch of the type alone.
    with: {
      manifest: [
        { kind: "Service", metadata: { name: "public" }, spec: { type: "NodePort" } },
        service({ type: "ClusterIP" }),
        deployment({}),
      ],
    },
    subjects: ["routes[0].rateLimit.key"],
    severity: "warning",
    fine: { ...perClient, trustedProxies: ["10.0.0.0/8"] },
    fineWith: { manifest: [deployment({}), service({})] },
  },
  {
    rule: "client-address-of-node",
    bites: perClient,
    with: {
      manifest: [deployment({}), service({ selector: { app: "weir", tier: "edge" } }, { namespace: "edge" })],
    },
    subjects: ["routes[0].rateLimit.key"],
    severity: "warning",
    fine: perClient,
    // Within the cluster, to other pods, elsewhere, by a selector of none, and by balancers that go to pods themselves.
    fineWith: {
      manifest: [
        deployment({}),
        service({ type: "ClusterIP" }, { name: "a" }),
        service({ selector: { app: "weir", tier: "inner" } }, { name: "b" }),
        service({}, { name: "c", namespace: "shop" }),
        service({ selector: {} }, { name: "d" }),
        service({ allocateLoadBalancerNodePorts: false }, { name: "e" }),
        service({}, {
          name: "f",
          annotations: { "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip" },
        }),
      ],
    },
  },
];
