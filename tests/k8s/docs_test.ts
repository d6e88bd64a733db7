import { assert, assertEquals } from "@std/assert";
import { parse } from "yaml";
import { parseEndpointAddress } from "../../src/config/endpoint_url.ts";
import { pathOf } from "./support/manifests.ts";

const guide = Deno.readTextFileSync(pathOf("docs/kubernetes.md"));

Deno.test("docs/kubernetes.md names files that exist", () => {
  const named = new Set([...guide.matchAll(/\bk8s\/[a-z/.-]*[a-z]/g)].map(([path]) => path));
  assert(named.size > 5);
  for (const path of named) Deno.statSync(pathOf(path));
});

Deno.test("docs/kubernetes.md shows addresses that Weir takes", () => {
  const shown = [...guide.matchAll(/`((?:k8s|dns\+http|http):\/\/[^`]+)`/g)].map(([, address = ""]) =>
    address
  );
  assert(shown.length >= 4);
  for (const address of shown) {
    if (address === "k8s://") continue;
    assertEquals(parseEndpointAddress(address).ok, true, address);
  }
});

Deno.test("docs/kubernetes.md takes weir.yaml out of the ConfigMap whole, and without a cluster", async () => {
  const [, script = ""] = /(sed .*) > weir\.yaml/.exec(guide) ?? [];
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script], cwd: pathOf(".") }).output();
  const { data } = parse(Deno.readTextFileSync(pathOf("k8s/configmap.yaml")));
  assertEquals(parse(new TextDecoder().decode(stdout)), parse(data["weir.yaml"]));
});
