// Values in Kubernetes manifests, of which any may be missing, odd, or a placeholder (`${PORT}`) that is filled in later.

import { isMap } from "../config/path.ts";

/** What stands there as text; empty for what is none. */
export function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : "";
}

/** A whole number, also one that is written as text; undefined for all else. */
export function numberOf(value: unknown): number | undefined {
  const text = textOf(value).trim();
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Whether something else fills it in: a shell, Helm, Kubernetes itself. */
export function isPlaceholder(value: unknown): boolean {
  return /[${]/.test(textOf(value));
}

/** The maps of a list; none when it is no list. */
export function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isMap) : [];
}

/** The elements of a list as text; none when it is no list. */
export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(textOf) : [];
}

/** The words of a command, those of a script that a shell is given (`sh -c "..."`) among them. */
export function commandWords(command: unknown): string[] {
  return textsOf(command).flatMap((word) => word.split(/\s+/)).map((word) => word.replace(/^["']|["']$/g, ""))
    .filter((word) => word !== "");
}
