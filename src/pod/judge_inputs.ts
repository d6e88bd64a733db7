// What judging endpoints is given: the board, the clock, real probes, and where its verdicts are told.

import type { Board } from "../board/layout.ts";
import { boardInputs } from "../control/health_monitor.ts";
import type { Clock } from "../control/clock.ts";
import type { JudgeInputs } from "../control/judgement.ts";
import { probe } from "../control/probe.ts";
import type { EventBook } from "./event_book.ts";

export function judgeInputs(board: Board, clock: Clock, events: EventBook): JudgeInputs {
  return {
    ...boardInputs(board),
    clock,
    probe,
    events: {
      onHealthChange: ({ upstream, endpoint, from, to, reason }) => {
        const tone = to === "unhealthy" ? "bad" : from === "unhealthy" ? "good" : "neutral";
        events.add("health", tone, `${upstream}: ${endpoint} is ${to}, was ${from}: ${reason}`);
      },
      onEjected: ({ upstream, endpoint, reason, forMs, times }) =>
        events.add(
          "ejection",
          "bad",
          `${upstream}: ${endpoint} ejected for ${forMs} ms (${times} in a row): ${reason}`,
        ),
      onReturned: ({ upstream, endpoint, reason }) =>
        events.add("ejection", "good", `${upstream}: ${endpoint} is ejected no more: ${reason}`),
    },
  };
}
