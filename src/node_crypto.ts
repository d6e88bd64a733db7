// node:crypto, loaded when it is first needed: each thread that imports it takes megabytes and milliseconds for it.

import type * as NodeCrypto from "node:crypto";

declare const process: { getBuiltinModule(name: "node:crypto"): typeof NodeCrypto };

/** What Web Crypto has no answer for, or none without waiting. */
export function nodeCrypto(): typeof NodeCrypto {
  return process.getBuiltinModule("node:crypto");
}
