// git over HTTP: a clone and pushes, small and large (git sends large packs chunked, after a probe).

import { assertEquals } from "@std/assert";
import { git, needsGit, startGitOrigin } from "../support/git_origin.ts";
import { scenario } from "../support/scenario.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const LARGE_BYTES = 3_000_000;

scenario("git clones and pushes through Weir", async (props) => {
  await using folder = await TemporaryFolder.make();
  const root = folder.path;
  await git(root, "init", "--quiet", "--bare", "--initial-branch=main", "shared.git");
  await git(`${root}/shared.git`, "config", "http.receivepack", "true");
  await using origin = startGitOrigin(root);
  const weir = await props.loop({ upstreams: origin.url });

  await git(root, "clone", "--quiet", `${weir.url}/shared.git`, "mine");
  const mine = `${root}/mine`;
  await Deno.writeTextFile(`${mine}/readme.txt`, "through a weir\n");
  await git(mine, "add", ".");
  await git(mine, "commit", "--quiet", "--message", "small");
  await git(mine, "push", "--quiet", "origin", "HEAD:main");
  const large = new Uint8Array(LARGE_BYTES);
  for (let at = 0; at < LARGE_BYTES; at += 60_000) crypto.getRandomValues(large.subarray(at, at + 60_000));
  await Deno.writeFile(`${mine}/large.bin`, large);
  await git(mine, "add", ".");
  await git(mine, "commit", "--quiet", "--message", "large");
  await git(mine, "push", "--quiet", "origin", "HEAD:main");

  await git(root, "clone", "--quiet", `${weir.url}/shared.git`, "yours");
  assertEquals(await Deno.readFile(`${root}/yours/large.bin`), large);
  assertEquals(await git(`${root}/yours`, "rev-parse", "HEAD"), await git(mine, "rev-parse", "HEAD"));
}, needsGit());
