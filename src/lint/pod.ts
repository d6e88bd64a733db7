// Lint rules about the pod as a whole: whom it believes, what its listener can.

import { WIRE_KEYS } from "../config/derived.ts";
import { parseNetwork, renderIp, renderNetwork } from "../config/ip_address.ts";
import type { Path } from "../config/path.ts";
import { isWritten, type LintRule } from "./finding.ts";

/** Shorter prefixes hold more addresses than any one operator has: half of a /7 is other people's. */
const PREFIX_MIN = { ipv4: 8, ipv6: 16 };
/** Nobody reaches Weir from other networks by these: unique local (RFC 4193) and link-local (RFC 4291 2.4). */
const LOCAL = [{ begins: /^f[cd]..:/i, bits: 7 }, { begins: /^fe[89ab].:/i, bits: 10 }];

const trustedWorld: LintRule = {
  name: "trusted-proxies-open",
  check: ({ trustedProxies }) =>
    trustedProxies.flatMap((range, i) => {
      const bits = Number(range.split("/")[1] ?? "128");
      if (bits >= (range.includes(":") ? PREFIX_MIN.ipv6 : PREFIX_MIN.ipv4)) return [];
      if (LOCAL.some((local) => bits >= local.bits && local.begins.test(range))) return [];
      return [{
        path: ["trustedProxies", i],
        severity: "warning",
        state: `is ${range}, open to the world`,
        why: "Whoever reaches Weir can claim any address, and so pass limits and rules made by address.",
        fix: "Write only the addresses of your own proxies.",
      }];
    }),
};

const trustedNeighbours: LintRule = {
  name: "trusted-proxies-wider",
  check: ({ trustedProxies }) =>
    trustedProxies.flatMap((range, i) => {
      const network = parseNetwork(range)!;
      const whole = renderNetwork(network);
      const address = renderIp(network);
      if (whole.startsWith(`${address}/`)) return [];
      return [{
        path: ["trustedProxies", i],
        severity: "warning",
        state: `is ${range}, which is all of ${whole}`,
        why: `Only its first ${network.length} bits count: whoever is near ${address} is believed as well.`,
        fix: `Write ${whole} if they are meant, else ${address} alone.`,
      }];
    }),
};

const proxyHeaderFromNobody: LintRule = {
  name: "proxy-protocol-from-nobody",
  check: ({ listen, trustedProxies }) =>
    !listen.proxyProtocol || trustedProxies.length > 0 ? [] : [{
      path: ["listen", "proxyProtocol"],
      severity: "error",
      state: "is true, and trustedProxies is empty",
      why: "The PROXY header is expected from trusted proxies only, so it is never read.",
      fix: "Write the addresses of the proxies that send it to trustedProxies.",
    }],
};

const wireKeysOnServe: LintRule = {
  name: "wire-key-on-serve",
  check: ({ listen }, context) => {
    if (listen.listener === "wire") return [];
    return WIRE_KEYS.map((key): Path => ["listen", key]).filter((path) => isWritten(context, path)).map((
      path,
    ) => ({
      path,
      severity: "warning",
      state: "is written, but listen.listener is serve",
      why: "It has no effect: Deno.serve has no such setting.",
      fix: "Set listen.listener to wire, or remove it.",
    }));
  },
};

const redirectNowhere: LintRule = {
  name: "redirect-port-missing",
  check: ({ listen: { tls } }, context) => {
    const path = ["listen", "tls", "redirectToPort"];
    return tls?.redirectPort !== undefined || !isWritten(context, path) ? [] : [{
      path,
      severity: "warning",
      state: "is written, and redirectPort is not",
      why: "Weir listens nowhere for plain HTTP, so nothing is redirected.",
      fix: "Write the port to listen on for it to redirectPort, or remove redirectToPort.",
    }];
  },
};

export const podRules: readonly LintRule[] = [
  trustedWorld,
  trustedNeighbours,
  proxyHeaderFromNobody,
  wireKeysOnServe,
  redirectNowhere,
];
