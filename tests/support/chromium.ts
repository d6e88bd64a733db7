// Chromium for tests, where the machine has one: `...needsChromium()` skips a test and says why.

import type { Browser, Page } from "playwright-core";

const PROGRAMS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

function findChromium(): string | null {
  for (const path of PROGRAMS) {
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch {
      // Not here, or not to be looked at.
    }
  }
  return null;
}

/** Playwright looks at /proc while it starts Chromium, which needs every permission. */
function isAllowed(): boolean {
  const names = ["read", "write", "net", "env", "run", "sys", "ffi"] as const;
  return names.every((name) => Deno.permissions.querySync({ name }).state === "granted");
}

/** Marks a test as ignored, and says why, without Chromium or the permission to run it. */
export function needsChromium(): { ignore: boolean } {
  const ignore = findChromium() === null || !isAllowed();
  if (ignore) console.log("ignoring tests that need Chromium: apt-get install chromium, and deno test -A");
  return { ignore };
}

export async function startChromium(): Promise<Browser> {
  // Imported only here: loading it asks for permissions that a run without Chromium does not need.
  const { chromium } = await import("playwright-core");
  return await chromium.launch({
    executablePath: findChromium()!,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
}

/** What the browser complains of, from now on. */
export function troubleOf(page: Page): string[] {
  const trouble: string[] = [];
  page.on("console", (message) => void (message.type() === "error" && trouble.push(message.text())));
  page.on("pageerror", (error) => trouble.push(error.message));
  return trouble;
}

const SAYS_MS_MAX = 15_000;

/** Waits until an element says so; fails with what it says instead. */
export async function says(page: Page, selector: string, text: string | RegExp): Promise<void> {
  const found = page.locator(selector).filter({ hasText: text });
  await found.first().waitFor({ timeout: SAYS_MS_MAX }).catch(async () => {
    const instead = await page.locator(selector).allInnerTexts();
    throw new Error(`${selector} says ${JSON.stringify(instead)}, not ${text}`);
  });
}
