// The precedence of routes by example: one line for each rule. `docs/routing.md` shows these very lines, and
// `precedence_test.ts` holds both to the router.

import type { RouteConfig } from "../../src/config/route_schema.ts";

export interface PrecedenceRow {
  readonly rule: string;
  /** Goes first, though it stands last in the file. */
  readonly first: RouteConfig["match"];
  readonly second: RouteConfig["match"];
  /** A request that both match. */
  readonly request: string;
  readonly headers?: string[];
}

export const PRECEDENCE: readonly PrecedenceRow[] = [
  {
    rule: "an exact host before a wildcard",
    first: { host: "api.example.org" },
    second: { host: "*.example.org", path: "/users" },
    request: "GET api.example.org/users",
  },
  {
    rule: "a wildcard before any host",
    first: { host: "*.example.org" },
    second: { path: "/users" },
    request: "GET api.example.org/users",
  },
  {
    rule: "the longer wildcard",
    first: { host: "*.eu.example.org" },
    second: { host: "*.example.org" },
    request: "GET api.eu.example.org/",
  },
  {
    rule: "a host with a port before one without",
    first: { host: "example.org:8080" },
    second: { host: "example.org" },
    request: "GET example.org:8080/",
  },
  {
    rule: "an exact path before a template",
    first: { path: "/users/me" },
    second: { path: "/users/{id}", method: ["GET"] },
    request: "GET example.org/users/me",
  },
  {
    rule: "a template before a prefix",
    first: { path: "/{kind}/{id}" },
    second: { path: "/users/*", method: ["GET"] },
    request: "GET example.org/users/7",
  },
  {
    rule: "a prefix before no path",
    first: { path: "/*" },
    second: { method: ["GET"] },
    request: "GET example.org/a",
  },
  {
    rule: "the longer prefix",
    first: { path: "/api/v2/*" },
    second: { path: "/api/*", method: ["GET"] },
    request: "GET example.org/api/v2/users",
  },
  {
    rule: "the template with more literal segments",
    first: { path: "/{tenant}/users/all" },
    second: { path: "/acme/{kind}/{id}" },
    request: "GET example.org/acme/users/all",
  },
  {
    rule: "of as many, the one whose literals stand further left",
    first: { path: "/acme/{kind}" },
    second: { path: "/{tenant}/users" },
    request: "GET example.org/acme/users",
  },
  {
    rule: "a written method before none",
    first: { path: "/users", method: ["GET"] },
    second: { path: "/users", headers: { "x-canary": "1" } },
    request: "GET example.org/users",
    headers: ["X-Canary", "1"],
  },
  {
    rule: "more header and query conditions",
    first: { headers: { "x-canary": "1" }, query: { beta: { present: true } } },
    second: { headers: { "x-canary": "1" } },
    request: "GET example.org/?beta",
    headers: ["x-canary", "1"],
  },
];
