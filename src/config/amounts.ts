// An amount as text: with its unit, as other proxies have it (`30s`, `1m30s`, `10m`, `50%`), in the unit that a
// key's name ends in, or a bare number, as templates put it in quotes. Pure.

const MILLISECONDS = new Map(
  Object.entries({ ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 }),
);

/** The number to write; undefined where the text is no amount of what the key counts, or the number is not whole. */
export function inUnitOf(key: string, text: string): number | undefined {
  const times = /(?:Ms|AgeS)$/.test(key) && text.length < 32
    ? text.match(/\d+(?:\.\d+)?[a-z]+ */gi) ?? []
    : [];
  if (times.length > 1 && times.join("") === text) {
    const sum = times.reduce((sum, time) => sum + (inUnitOf(key, time.trim()) ?? NaN), 0);
    return Number.isNaN(sum) ? undefined : sum;
  }
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)(?: *([a-z]+|%))?$/.exec(text.toLowerCase()) ?? [];
  const number = Number(amount) * (factorOf(key, unit) ?? NaN);
  return Number.isSafeInteger(number) ? number : undefined;
}

function factorOf(key: string, unit: string): number | undefined {
  if (unit === "") return 1;
  if (key.endsWith("Ms")) return MILLISECONDS.get(unit);
  if (key.endsWith("AgeS")) return (MILLISECONDS.get(unit) ?? NaN) / 1_000;
  if (key.includes("Percent")) return unit === "%" ? 1 : undefined;
  const power = key.includes("Bytes") ? /^([kmg]?)i?b?$/.exec(unit) : null;
  return power === null ? undefined : 1_024 ** " kmg".indexOf(power[1] || " ");
}
