// A bounded load: so many requests over so many kept connections, each with one request at a time.

import { RawClient, requestText } from "./raw_client.ts";

export interface LoadOptions {
  readonly requests: number;
  readonly connections: number;
  /** Taken in turn. */
  readonly targets?: readonly string[];
  readonly method?: string;
  readonly body?: string;
  /** Told of each answer; to act in the middle of a load. */
  readonly onAnswer?: (answered: number) => void;
}

export interface LoadResult {
  /** Answers by status. */
  readonly answers: ReadonlyMap<number, number>;
  /** What went wrong on connections, in words. */
  readonly errors: readonly string[];
}

export async function load(url: string, options: LoadOptions): Promise<LoadResult> {
  const { requests, connections, targets = ["/"], method = "GET", body } = options;
  const texts = targets.map((target) => requestText(method, target, [], body));
  const answers = new Map<number, number>();
  const errors: string[] = [];
  let sent = 0;
  let answered = 0;
  const drive = async () => {
    while (sent < requests) {
      await using client = await RawClient.connect(url).catch((error) => void errors.push(String(error)));
      // Whoever finds no connection does not try again: the load stays bounded.
      if (client === undefined) return;
      try {
        while (sent < requests) {
          await client.send(texts[sent++ % texts.length]!);
          const answer = await client.response(method);
          if (answer.ended === "cut") throw new Error(`an answer with status ${answer.status} was cut`);
          answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
          options.onAnswer?.(++answered);
          if (/close/i.test(answer.header("connection") ?? "")) break;
        }
      } catch (error) {
        errors.push(String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, drive));
  return { answers, errors };
}
