// The Dockerfile against the rest of the repository, without building anything; image_test.ts builds and runs it.

import { assert, assertEquals } from "@std/assert";
import { ENVIRONMENT, FOREIGN } from "../../src/cli/environment.ts";
import { configSchema } from "../../src/config/schema.ts";
import { VERSION } from "../../src/version.ts";
import { manifestsIn, pathOf } from "./support/manifests.ts";

const dockerfile = Deno.readTextFileSync(pathOf("Dockerfile")).replaceAll(/\\\n\s*/g, "");
const tasks = JSON.parse(Deno.readTextFileSync(pathOf("deno.json"))).tasks;

/** The list of words after an instruction in exec form; fails when it is in shell form. */
function words(instruction: RegExp): string[] {
  const line = instruction.exec(dockerfile);
  assert(line !== null, `${instruction} must be in exec form`);
  return JSON.parse(line[1] ?? "");
}

const entryPoint = words(/^ENTRYPOINT (\[.*\])$/m);
const healthCheck = words(/^HEALTHCHECK .*CMD (\[.*\])$/m);
const rights = (command: readonly string[]) =>
  command.filter((word) => /^--(allow|deny|ignore|unstable)/.test(word)).sort();

Deno.test("the image has the rights of `deno task weir`, no more and no fewer", () => {
  const task: string = tasks.weir.command ?? tasks.weir;
  assertEquals(rights(entryPoint), rights(task.split(/\s+/)));
  assertEquals(rights(healthCheck), rights(entryPoint));
});

Deno.test("both tasks have the same rights: the network, three folders to read, the variables that Weir knows", () => {
  const start: string = tasks.start.command;
  assertEquals(rights(start.split(/\s+/)), rights(tasks.weir.command.split(/\s+/)));
  assertEquals(rights(start.split(/\s+/)), [
    `--allow-env=${[...ENVIRONMENT, ...FOREIGN].join(",")}`,
    "--allow-net",
    "--allow-read=.,/etc/weir,/var/run/secrets/kubernetes.io",
    "--ignore-env=LOG_TOKENS,LOG_STREAM",
  ]);
});

Deno.test("the image runs what it was built with, and fetches nothing", () => {
  for (const command of [entryPoint, healthCheck]) {
    for (const flag of ["--cached-only", "--frozen", "--no-prompt"]) assert(command.includes(flag), flag);
    assertEquals(command[0], "deno");
  }
  assertEquals(entryPoint.at(-1), "src/main.ts");
  assertEquals(words(/^CMD (\[.*\])$/m), ["run"]);
  assertEquals(healthCheck.slice(-2), ["src/main.ts", "probe"]);
});

Deno.test("the image is based on the pinned version of Deno that the project uses", () => {
  assertEquals(/^ARG DENO_VERSION=(.*)$/m.exec(dockerfile)?.[1], Deno.version.deno);
  for (const base of dockerfile.matchAll(/^ARG \w+_IMAGE=(.*)$/gm)) {
    assert(base[1]?.startsWith("docker.io/denoland/deno:"), base[1]);
  }
});

Deno.test("the image and the manifests agree on user, ports and version", () => {
  const [deployment] = manifestsIn("k8s/").get("deployment.yaml") ?? [];
  const { securityContext, containers: [container] } = deployment.spec.template.spec;
  assertEquals(
    /^USER (.*)$/m.exec(dockerfile)?.[1],
    `${securityContext.runAsUser}:${securityContext.runAsGroup}`,
  );
  const ports = container.ports.map(({ containerPort }: { containerPort: number }) => containerPort);
  assertEquals(/^EXPOSE (.*)$/m.exec(dockerfile)?.[1], ports.join(" "));
  assertEquals(container.image, `weir:${VERSION}`);
  // Its command, and so its rights, are the image's.
  assertEquals([container.command, container.args], [undefined, undefined]);
  assertEquals(/^ARG VERSION=(.*)$/m.exec(dockerfile)?.[1], VERSION);
});

Deno.test("README.md runs the image with time to drain, and a folder that it may read", () => {
  const readme = Deno.readTextFileSync(pathOf("README.md"));
  const [, seconds, folder, file] = /docker run .*--stop-timeout=(\d+) -v \S+:(\S+):ro -e CONFIG=(\S+) weir:/
    .exec(readme)!;
  const { delayMs, deadlineMs } = configSchema.parse({}).drain;
  assert(Number(seconds) * 1_000 > delayMs + deadlineMs);
  assertEquals(Number(/stop_grace_period: (\d+)s/.exec(readme)?.[1]), Number(seconds));
  assertEquals(file, `${folder}/weir.yaml`);
  assert(entryPoint.find((word) => word.startsWith("--allow-read="))!.split(/[=,]/).includes(folder!));
});
