// What a listener of a test needs to open, wherever the test has no wish of its own.

import { listenSchema } from "../../src/config/schema.ts";
import type { ListenOptions } from "../../src/listener/listener.ts";
import { StillTime } from "./still_time.ts";
import type { ListenerName } from "./weir.ts";

/** A port of 127.0.0.1 that the system picks, a clock that stands still, and 204 for every request. */
export function listenOptions(listener: ListenerName, given: Partial<ListenOptions> = {}): ListenOptions {
  return {
    config: { ...listenSchema.parse({}), host: "127.0.0.1", port: 0, listener },
    wheel: new StillTime().wheel,
    handle: async (exchange) => {
      await exchange.respond({ status: 204, reason: "", headers: [] }, null);
    },
    countConnection: () => {},
    onFailed: () => {},
    onWornOut: () => false,
    makeRoom: () => null,
    trusts: () => false,
    ...given,
  };
}
