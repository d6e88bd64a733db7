// Numbers and times as people read them, and the few DOM helpers of the page.
// All text goes in as text: nothing that a peer sent can become markup. A number and its unit never part.

/** A rate or a count, at most three digits. */
export function rate(value) {
  if (value === 0) return "0";
  if (value < 10) return value.toFixed(1);
  if (value < 10_000) return Math.round(value).toLocaleString("en");
  return `${(value / 1000).toFixed(value < 100_000 ? 1 : 0)}\u00a0k`;
}

export function percent(value) {
  if (value === 0) return "0\u00a0%";
  if (value < 0.1) return "<\u00a00.1\u00a0%";
  return `${value.toFixed(value < 10 ? 1 : 0)}\u00a0%`;
}

/** Milliseconds, or seconds from ten of them on; a dash for none. */
export function latency(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms === 0) return "0\u00a0ms";
  if (ms < 10) return `${ms.toFixed(1)}\u00a0ms`;
  return ms < 10_000 ? `${Math.round(ms)}\u00a0ms` : `${(ms / 1000).toFixed(1)}\u00a0s`;
}

/** A span of time, the two greatest units. */
export function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s}\u00a0s`;
  if (s < 3600) return `${Math.floor(s / 60)}\u00a0min ${s % 60}\u00a0s`;
  if (s < 86_400) return `${Math.floor(s / 3600)}\u00a0h ${Math.floor(s % 3600 / 60)}\u00a0min`;
  return `${Math.floor(s / 86_400)}\u00a0d ${Math.floor(s % 86_400 / 3600)}\u00a0h`;
}

export function clock(at) {
  return new Date(at).toLocaleTimeString("en-GB");
}

export function bytes(count) {
  return count < 1024 ** 3
    ? `${Math.round(count / 1024 ** 2)}\u00a0MB`
    : `${(count / 1024 ** 3).toFixed(1)}\u00a0GB`;
}

export function byId(id) {
  return document.getElementById(id);
}

/** An element with a class and children; strings become text. */
export function el(tag, className = "", ...children) {
  const node = document.createElement(tag);
  if (className !== "") node.className = className;
  node.append(...children);
  return node;
}

/** Writes only what changed, so that selections survive and screen readers stay quiet. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Keeps one child per item, in order: made once by `create(item)`, brought up to date by `update(node, item)`.
 * Items of the same key are told apart by their order.
 */
export function keyed(parent, items, key, create, update) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const times = new Map();
  items.forEach((item, i) => {
    const name = String(key(item));
    const nth = (times.get(name) ?? 0) + 1;
    times.set(name, nth);
    const id = nth === 1 ? name : `${name}\n${nth}`;
    let node = old.get(id);
    if (node === undefined) {
      node = create(item);
      node.dataset.key = id;
    }
    old.delete(id);
    update(node, item);
    if (parent.children[i] !== node) parent.insertBefore(node, parent.children[i] ?? null);
  });
  for (const gone of old.values()) gone.remove();
}
