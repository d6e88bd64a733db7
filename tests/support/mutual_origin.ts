// An origin that serves only clients with a certificate and says so as TLS asks for, by an alert: `openssl s_server`.
// (Deno's node:https closes without a word.)

import type { Authority } from "./certificates.ts";
import { requireTool } from "./tools.ts";

export class MutualOrigin implements AsyncDisposable {
  private constructor(private readonly child: Deno.ChildProcess, readonly url: string) {}

  static async start(authority: Authority): Promise<MutualOrigin> {
    const { certFile, keyFile } = await authority.install(
      "mutual",
      await authority.issue({ names: ["app.test"] }),
    );
    const child = new Deno.Command(requireTool("openssl"), {
      args: [
        ...["s_server", "-accept", "127.0.0.1:0", "-www", "-cert", certFile, "-key", keyFile],
        ...["-CAfile", authority.caFile, "-Verify", "1", "-verify_return_error"],
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let said = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      said += text;
      const port = /ACCEPT .*:(\d+)/.exec(said)?.[1];
      if (port !== undefined) return new MutualOrigin(child, `https://127.0.0.1:${port}`);
    }
    throw new Error(`openssl s_server ended: ${said}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.status;
  }
}
