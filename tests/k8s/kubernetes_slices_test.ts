import { assertEquals, assertStringIncludes } from "@std/assert";
import { endpointsOf, type Slice, sliceIn } from "../../src/control/discovery/kubernetes_slices.ts";

const target = { service: "api", namespace: "shop", port: "http" as string | number };

/** A slice as the API gives it; each endpoint is its address and conditions. */
function given(
  endpoints: readonly [
    address: string,
    conditions?: Record<string, unknown> | null | undefined,
    pod?: string,
  ][],
  ports: unknown = [{ name: "http", port: 8080 }],
): Slice {
  const slice = sliceIn({
    metadata: { name: crypto.randomUUID() },
    ports,
    endpoints: endpoints.map(([address, conditions, pod]) => ({
      addresses: [address],
      conditions,
      ...(pod === undefined ? {} : { targetRef: { kind: "Pod", uid: pod } }),
    })),
  });
  if (slice === null) throw new Error("no slice");
  return slice;
}

/** `10.0.0.1:8080`, with `~` before a draining one and the scheme when it is https. */
function told(slices: readonly Slice[], port: string | number = "http"): string {
  return endpointsOf(slices, { ...target, port }).endpoints.map(({ scheme, host, port, draining }) =>
    `${draining ? "~" : ""}${scheme === "https" ? "https://" : ""}${host}:${port}`
  ).join(" ");
}

const leaving = { ready: false, serving: true, terminating: true };

Deno.test("endpointsOf() judges a pod by its conditions", () => {
  const table: [conditions: Record<string, unknown> | null | undefined, expected: string][] = [
    [undefined, "10.0.0.1:8080"],
    [null, "10.0.0.1:8080"],
    [{}, "10.0.0.1:8080"],
    [{ ready: null }, "10.0.0.1:8080"],
    [{ ready: true }, "10.0.0.1:8080"],
    [{ ready: false }, ""],
    [{ ready: false, serving: true }, ""],
    [{ ready: false, serving: false, terminating: true }, ""],
    [{ ready: false, terminating: true }, ""],
    // Alone and leaving: still better than nothing.
    [leaving, "10.0.0.1:8080"],
    // publishNotReadyAddresses keeps `ready` true.
    [{ ready: true, serving: true, terminating: true }, "10.0.0.1:8080"],
  ];
  for (const [conditions, expected] of table) {
    assertEquals(told([given([["10.0.0.1", conditions]])]), expected, JSON.stringify(conditions));
  }
});

Deno.test("endpointsOf() lets leaving pods drain while others are ready", () => {
  const slices = [given([["10.0.0.1"], ["10.0.0.2", leaving], ["10.0.0.3", { ready: false }]])];
  assertEquals(told(slices), "10.0.0.1:8080 ~10.0.0.2:8080");
});

Deno.test("endpointsOf() uses leaving pods as full ones when nothing else is left", () => {
  assertEquals(
    told([given([["10.0.0.1", leaving], ["10.0.0.2", leaving], ["10.0.0.3", { ready: false }]])]),
    "10.0.0.1:8080 10.0.0.2:8080",
  );
});

Deno.test("endpointsOf() joins slices, and the better word on an address counts", () => {
  const better = given([["10.0.0.1"], ["10.0.0.2"]]);
  const worse = given([["10.0.0.1", leaving], ["10.0.0.3"]]);
  for (const slices of [[better, worse], [worse, better]]) {
    assertEquals(told(slices), "10.0.0.1:8080 10.0.0.2:8080 10.0.0.3:8080");
  }
  const unusable = given([["10.0.0.1", { ready: false }], ["10.0.0.2"]]);
  for (const slices of [[worse, unusable], [unusable, worse]]) {
    assertEquals(told(slices), "~10.0.0.1:8080 10.0.0.2:8080 10.0.0.3:8080");
  }
});

Deno.test("endpointsOf() passes over slices without the port, wherever they stand", () => {
  const [without, first, last] = [
    given([["10.0.0.1"]], [{ name: "metrics", port: 9090 }]),
    given([["10.0.0.2"]]),
    given([["10.0.0.3"]]),
  ];
  for (const slices of [[without, first, last], [first, without, last], [first, last, without]]) {
    assertEquals(told(slices), "10.0.0.2:8080 10.0.0.3:8080");
  }
});

Deno.test("endpointsOf() counts a dual-stack pod once, by its IPv4 address", () => {
  const six = given([["fd00::1", undefined, "pod-a"], ["fd00::2", undefined, "pod-b"]]);
  const four = given([["10.0.0.1", undefined, "pod-a"]]);
  for (const slices of [[six, four], [four, six]]) {
    assertEquals(told(slices), "10.0.0.1:8080 fd00::2:8080");
  }
  const pod = (address: string) => given([[address, undefined, "pod-a"]]);
  for (
    const [one, other, chosen] of [
      ["203.0.113.1", "2001:db8::1", "203.0.113.1"],
      // Slices come in no order, and a choice that moved would cost connections.
      ["10.0.0.8", "10.0.0.7", "10.0.0.7"],
      ["fd00::8", "fd00::7", "fd00::7"],
    ] as const
  ) {
    for (const slices of [[pod(one), pod(other)], [pod(other), pod(one)]]) {
      assertEquals(told(slices), `${chosen}:8080`);
    }
  }
});

Deno.test("endpointsOf() counts a dual-stack pod by the family that is of more use", () => {
  const six = given([["fd00::1", undefined, "pod-a"]]);
  const four = given([["10.0.0.1", leaving, "pod-a"], ["10.0.0.2", undefined, "pod-b"]]);
  for (const slices of [[six, four], [four, six]]) assertEquals(told(slices), "10.0.0.2:8080 fd00::1:8080");
});

Deno.test("endpointsOf() gives the same list in whatever order slices and pods come", () => {
  const [one, two] = [
    given([["10.0.0.9"], ["10.0.0.10"]]),
    given([["10.0.0.1"]], [{ name: "http", port: 9090 }, { name: "old", port: 1 }]),
  ];
  const same = given([["10.0.0.1"]], [{ name: "http", port: 8080 }]);
  for (const slices of [[one, two, same], [same, two, one], [two, one, same]]) {
    assertEquals(told(slices), "10.0.0.1:8080 10.0.0.1:9090 10.0.0.10:8080 10.0.0.9:8080");
  }
});

Deno.test("endpointsOf() takes the port by name, by number, and the only one for any number", () => {
  const two = [{ name: "http", port: 8080 }, { name: "metrics", port: 9090 }];
  const table: [ports: unknown, wanted: string | number, expected: string][] = [
    [two, "http", "10.0.0.1:8080"],
    [two, "metrics", "10.0.0.1:9090"],
    [two, 9090, "10.0.0.1:9090"],
    [two, 80, ""],
    [two, "grpc", ""],
    [[{ name: "", port: 8080 }], 80, "10.0.0.1:8080"],
    [[{ name: null, port: 8080 }], 80, "10.0.0.1:8080"],
    [[{ port: 8080, protocol: "UDP" }], 8080, ""],
    [[{ name: "web", port: 8443, appProtocol: "https" }], "web", "https://10.0.0.1:8443"],
    [[{ name: "web", port: 8443, appProtocol: "HTTPS" }], 443, "https://10.0.0.1:8443"],
    [[{ name: "web", port: 8443, appProtocol: "kubernetes.io/wss" }], "web", "https://10.0.0.1:8443"],
    [[{ name: "web", port: 8080, appProtocol: "kubernetes.io/ws" }], "web", "10.0.0.1:8080"],
    [null, 80, ""],
  ];
  for (const [ports, wanted, expected] of table) {
    assertEquals(
      told([given([["10.0.0.1"]], ports)], wanted),
      expected,
      `${JSON.stringify(ports)} ${wanted}`,
    );
  }
});

Deno.test("endpointsOf() follows a named port that differs from slice to slice", () => {
  const old = given([["10.0.0.1"]], [{ name: "http", port: 8080 }]);
  const recent = given([["10.0.0.2"]], [{ name: "http", port: 8081 }]);
  assertEquals(told([old, recent]), "10.0.0.1:8080 10.0.0.2:8081");
});

Deno.test("endpointsOf() says why there is no endpoint", () => {
  const table: [slices: Slice[], port: string | number, says: string][] = [
    [[], "http", "Service shop/api has no EndpointSlice: does it exist?"],
    [[given([])], "http", "has no ready pod"],
    [[given([["10.0.0.1", { ready: false }]])], "http", "has no ready pod"],
    // What the cluster keeps for a Service whose selector matches nothing.
    [[given([], null)], "http", "has no ready pod"],
    [[given([["10.0.0.1"]])], "grpc", "has no port grpc: its pods have http=8080"],
    // A headless Service needs no ports; its pods are as ready as any.
    [[given([["10.0.0.1"]], null)], 80, "has no port 80: the EndpointSlices of its pods name no TCP port"],
    [
      [given([["10.0.0.1"]], [{ port: 53, protocol: "UDP" }])],
      53,
      "has no port 53: the EndpointSlices of its pods name no TCP port",
    ],
    // A named targetPort that the pods of one slice do not have.
    [
      [given([["10.0.0.1"]], []), given([], [{ port: 81, name: "x" }])],
      80,
      "the EndpointSlices of its pods name no TCP port",
    ],
  ];
  for (const [slices, port, says] of table) {
    const { endpoints, problem } = endpointsOf(slices, { ...target, port });
    assertEquals(endpoints, []);
    assertStringIncludes(problem ?? "", says);
  }
});

Deno.test("sliceIn() takes what makes sense and leaves the rest", () => {
  for (const no of [null, 1, "x", [], {}, { metadata: {} }, { metadata: { name: 1 } }]) {
    assertEquals(sliceIn(no), null, JSON.stringify(no));
  }
  const odd = sliceIn({
    metadata: { name: "odd" },
    ports: [
      ...[null, 1, { port: "80" }, { port: 0 }, { port: 65_536 }, { port: 80.5 }, {
        port: 53,
        protocol: "SCTP",
      }],
      ...[{ name: "ok", port: 80 }, { name: "low", port: 1, protocol: "TCP" }, {
        port: 65_535,
        protocol: null,
      }],
    ],
    endpoints: [null, {}, { addresses: [] }, { addresses: [1] }, { addresses: ["10.0.0.1", "10.0.0.9"] }],
  });
  assertEquals(odd?.ports.map(({ name, port, scheme }) => `${name} ${port} ${scheme}`), [
    "ok 80 http",
    "low 1 http",
    " 65535 http",
  ]);
  assertEquals(odd?.endpoints.map(({ address }) => address), ["10.0.0.1"]);
});
