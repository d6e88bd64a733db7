// The dashboard's files, read with the code itself: no read permission, no build step, no other host.

import app from "./dashboard/app.js" with { type: "text" };
import charts from "./dashboard/charts.js" with { type: "text" };
import format from "./dashboard/format.js" with { type: "text" };
import page from "./dashboard/index.html" with { type: "text" };
import icon from "./dashboard/icon.svg" with { type: "text" };
import panels from "./dashboard/panels.js" with { type: "text" };
import style from "./dashboard/style.css" with { type: "text" };
import tables from "./dashboard/tables.js" with { type: "text" };
import uplotStyle from "./dashboard/vendor/uPlot.min.css" with { type: "text" };
import uplot from "./dashboard/vendor/uPlot.iife.min.js" with { type: "text" };

export interface Asset {
  readonly type: string;
  readonly body: string;
}

const HTML = "text/html; charset=utf-8";
const CSS = "text/css; charset=utf-8";
const JAVASCRIPT = "text/javascript; charset=utf-8";

const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ["/dashboard/index.html", { type: HTML, body: page }],
  ["/dashboard/style.css", { type: CSS, body: style }],
  ["/dashboard/icon.svg", { type: "image/svg+xml", body: icon }],
  ["/dashboard/app.js", { type: JAVASCRIPT, body: app }],
  ["/dashboard/charts.js", { type: JAVASCRIPT, body: charts }],
  ["/dashboard/format.js", { type: JAVASCRIPT, body: format }],
  ["/dashboard/panels.js", { type: JAVASCRIPT, body: panels }],
  ["/dashboard/tables.js", { type: JAVASCRIPT, body: tables }],
  ["/dashboard/vendor/uPlot.min.css", { type: CSS, body: uplotStyle }],
  ["/dashboard/vendor/uPlot.iife.min.js", { type: JAVASCRIPT, body: uplot }],
]);

export const ASSET_PATHS: readonly string[] = [...ASSETS.keys()];

export function asset(path: string): Asset | undefined {
  return ASSETS.get(path);
}
