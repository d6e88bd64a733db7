// When a program that was just started can be measured: it answers, and what it answers is right.

import type { Certificate } from "./contestants.ts";
import type { Launched } from "./processes.ts";
import { baseUrl, type LoadScenario, PAYLOADS } from "./scenarios.ts";

const READY_WITHIN_MS = 20_000;
const POLL_MS = 50;
const ANSWER_WITHIN_MS = 5000;

/** Polls until `url` answers 200. @throws when a process ends first, or after READY_WITHIN_MS. */
export async function untilReady(
  url: string,
  launched: readonly Launched[],
  certificate: Certificate | null,
): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline) {
    const ended = launched.find((process) => !process.alive());
    if (ended !== undefined) {
      await ended.stop();
      throw new Error(reasonIn(ended.errorTail()));
    }
    if (await ask(url, certificate).then(({ status }) => status === 200, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`no 200 from ${url} within ${READY_WITHIN_MS / 1000} s`);
}

/**
 * One request of the scenario's kind, and its answer byte by byte.
 * @throws when the answer is not the payload: a contestant that is wrong is not fast.
 */
export async function checkAnswer(
  port: number,
  scenario: LoadScenario,
  certificate: Certificate | null,
): Promise<void> {
  const { answer, uploadBytes } = scenario;
  const upload = uploadBytes > 0 ? { method: "POST", body: "x".repeat(uploadBytes) } : {};
  const { status, text } = await ask(`${baseUrl(scenario, port)}/${answer}`, certificate, upload);
  if (status !== 200) throw new Error(`${answer} is answered with status ${status}`);
  if (text !== "x".repeat(PAYLOADS[answer])) {
    throw new Error(`${answer} is answered with ${text.length} other bytes`);
  }
}

async function ask(
  url: string,
  certificate: Certificate | null,
  upload: RequestInit = {},
): Promise<{ status: number; text: string }> {
  const caCerts = certificate === null ? [] : [await Deno.readTextFile(certificate.certFile)];
  // A connection of its own, so that none stays open into the measurement.
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0, caCerts });
  const response = await fetch(url, { ...upload, client, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  return { status: response.status, text: await response.text() };
}

/** The line of a program's last words that says why it ended. */
export function reasonIn(errorTail: string): string {
  const lines = errorTail.split("\n").filter((line) => line.trim() !== "");
  return lines.find((line) => /error|emerg|alert/i.test(line)) ?? lines.at(-1) ?? "it ended without a word";
}
