// The parts of an endpoint's address: port, host and the parameters after `;`.
//
// Called by `endpoint_url.ts`. Each part refuses through the callback it is given and returns undefined, so
// that one address can have several refusals.

import { parseIpv4, parseIpv6, renderIp } from "./ip_address.ts";
import { nearest } from "./nearest.ts";

/** What stands after the address: `;weight=3;backup`. */
export interface Parameters {
  /** Share of the traffic relative to the others, 1 to 1000. */
  readonly weight: number;
  /** Used only when no other endpoint can be. */
  readonly backup: boolean;
  /** Takes no new clients. */
  readonly drain: boolean;
}

/** Takes what is wrong, what is accepted, and the nearest known name. */
export type Refuse = (what: string, accepted: string, near?: string) => void;

export const forms =
  "must be like http://host:port, https://host:port, dns+http://name:port or k8s://service.namespace:port";

/** A port from 1 to 65535; `or` names what else would be accepted. */
export function parsePort(text: string, refuse: Refuse, or = ""): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  return void refuse(
    text === "" ? "its port is empty" : `its port is ${JSON.stringify(text)}`,
    `must have a port from 1 to 65535${or}`,
  );
}

/** A name in lower case, an IPv4 address, or an IPv6 address in canonical form without its brackets. */
export function parseHost(host: string, refuse: Refuse): string | undefined {
  if (host === "") return void refuse("it has no host", forms);
  if (host.startsWith("[")) {
    const address = parseIpv6(host.slice(1, -1));
    if (address?.zone === "") return renderIp(address);
    return void refuse("its IPv6 address is not one", "must be like http://[2001:db8::1]:8080");
  }
  const name = host.toLowerCase();
  if (isNumeric(name)) {
    if (parseIpv4(name) !== null) return name;
    return void refuse("its IPv4 address is not one", "must be like http://10.0.0.1:8080");
  }
  if (isHostName(name)) return name;
  return void refuse(
    `its host is ${JSON.stringify(host.slice(0, 80))}`,
    "must be a name of letters, digits, '-' and '.' (other scripts in punycode), or an IP address",
  );
}

/** Labels of 1 to 63 letters, digits, `-` and `_`, 253 in all; a last dot keeps search domains out. */
export function isHostName(name: string): boolean {
  const label = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
  return name.length <= 254 && new RegExp(`^${label}(?:\\.${label})*\\.?$`, "i").test(name);
}

/** Whether the system's resolver may read it as IPv4, as it does `127.1` and `0x7f.1`. */
export function isNumeric(host: string): boolean {
  return /^(?:[0-9.]+|(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3})$/i.test(host);
}

/** The parameters, each at most once; what is not written is weight 1, no backup, no drain. */
export function parseParameters(words: readonly string[], refuse: Refuse): Parameters {
  const found: { weight?: number; backup?: boolean; drain?: boolean } = {};
  for (const word of words) {
    const [name = "", value] = word.split(/=(.*)/s);
    if (Object.hasOwn(found, name)) refuse(`it has ${name} twice`, "must have each parameter once");
    if (name === "weight") found.weight = parseWeight(value ?? "", refuse);
    else if (name === "backup" || name === "drain") {
      found[name] = true;
      if (value !== undefined) refuse(`its ${name} has a value`, `must be ;${name} alone`);
    } else {
      refuse(
        name === ""
          ? "it has an empty parameter"
          : `${JSON.stringify(name.slice(0, 40))} is not a known parameter`,
        "must be ;weight=N, ;backup or ;drain",
        nearest(name, ["weight", "backup", "drain"]),
      );
    }
  }
  return { weight: found.weight ?? 1, backup: found.backup ?? false, drain: found.drain ?? false };
}

/** 0, and refused, when it is none from 1 to 1000. */
function parseWeight(text: string, refuse: Refuse): number {
  const weight = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (weight >= 1 && weight <= 1_000) return weight;
  const none = /^0+$/.test(text) ? ", or ;drain to take no new clients" : "";
  refuse(`its weight is ${JSON.stringify(text)}`, `must have a weight from 1 to 1000${none}`);
  return 0;
}
