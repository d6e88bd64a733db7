// The standard library comes from npm as plain JavaScript (deno-std). These declarations give the functions
// that Weir uses their types; they mirror the signatures of the JSR packages of the same names.

declare module "@std/assert" {
  export class AssertionError extends Error {}
  export function assert(expr: unknown, msg?: string): asserts expr;
  export function assertFalse(expr: unknown, msg?: string): asserts expr is false;
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): asserts actual is T;
  export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T>;
  export function assertStringIncludes(actual: string, expected: string, msg?: string): void;
  export function assertArrayIncludes<T>(actual: ArrayLike<T>, expected: ArrayLike<T>, msg?: string): void;
  export function assertMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertObjectMatch(actual: object, expected: object, msg?: string): void;
  export function assertGreater<T>(actual: T, expected: T, msg?: string): void;
  export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void;
  export function assertLess<T>(actual: T, expected: T, msg?: string): void;
  export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void;
  export function assertAlmostEquals(
    actual: number,
    expected: number,
    tolerance?: number,
    msg?: string,
  ): void;
  // deno-lint-ignore no-explicit-any
  export function assertInstanceOf<T extends abstract new (...args: any[]) => unknown>(
    actual: unknown,
    expectedType: T,
    msg?: string,
  ): asserts actual is InstanceType<T>;
  export function assertThrows(fn: () => unknown, msg?: string): unknown;
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    // deno-lint-ignore no-explicit-any
    ErrorClass: abstract new (...args: any[]) => E,
    msgIncludes?: string,
    msg?: string,
  ): E;
  export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    // deno-lint-ignore no-explicit-any
    ErrorClass: abstract new (...args: any[]) => E,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
  export function fail(msg?: string): never;
  export function unreachable(msg?: string): never;
}

declare module "@std/cli/parse-args" {
  export interface ParseOptions {
    "--"?: boolean;
    alias?: Record<string, string | readonly string[]>;
    boolean?: boolean | string | readonly string[];
    default?: Record<string, unknown>;
    stopEarly?: boolean;
    string?: string | readonly string[];
    collect?: string | readonly string[];
    negatable?: string | readonly string[];
    unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  }
  /** Values by flag name; positional arguments under `_`, what follows a bare `--` under `--`. */
  export type Args = Record<string, unknown> & { _: (string | number)[]; "--"?: string[] };
  export function parseArgs(args: readonly string[], options?: ParseOptions): Args;
}

declare module "@std/http/cookie" {
  export interface Cookie {
    name: string;
    value: string;
    expires?: Date | number;
    maxAge?: number;
    domain?: string;
    path?: string;
    secure?: boolean;
    httpOnly?: boolean;
    partitioned?: boolean;
    sameSite?: "Strict" | "Lax" | "None";
    unparsed?: string[];
  }
  export function getCookies(headers: Headers): Record<string, string>;
  export function setCookie(headers: Headers, cookie: Cookie): void;
  export function deleteCookie(
    headers: Headers,
    name: string,
    attributes?: { path?: string; domain?: string },
  ): void;
  export function getSetCookies(headers: Headers): Cookie[];
}

declare module "@std/http/negotiation" {
  export function accepts(request: { headers: Headers }): string[];
  export function accepts(request: { headers: Headers }, ...types: string[]): string | undefined;
}

declare module "@std/http/server-sent-event-stream" {
  export interface ServerSentEventMessage {
    comment?: string;
    event?: string;
    data?: string;
    id?: string | number;
    retry?: number;
  }
  export class ServerSentEventStream
    extends TransformStream<ServerSentEventMessage, Uint8Array<ArrayBuffer>> {}
}

declare module "@std/http/status" {
  export const STATUS_CODE: Readonly<Record<string, number>>;
  export const STATUS_TEXT: Readonly<Record<number, string>>;
  export function isStatus(status: number): boolean;
}
