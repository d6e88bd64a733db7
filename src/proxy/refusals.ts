// The refusals that the handler knows by name.

import type { RouteMatch } from "../routing/router.ts";
import { answerFor, type Failure } from "./outcome.ts";
import type { NoLease } from "./pending_queue.ts";
import type { Refusal } from "./refusal.ts";

/** The pod holds `limits.inFlightMax` requests. */
export const OVERLOADED: Refusal = {
  status: 503,
  error: "connection_limit_reached",
  message: "this gateway is at its limit of requests",
  retryAfterS: 1,
};

/** No endpoint of the upstream may be used, or there is no such upstream. */
export const NO_ENDPOINT: Refusal = {
  status: 503,
  error: "destination_unavailable",
  message: "no endpoint can take the request",
  retryAfterS: 1,
};

const OUT_OF_TIME: Refusal = {
  status: 504,
  error: "http_response_timeout",
  message: "the origin did not answer in time",
};

const AT_LIMIT: Omit<Refusal, "message"> = {
  status: 503,
  error: "connection_limit_reached",
  retryAfterS: 1,
};

/** A bug in Weir. */
export const INTERNAL_ERROR: Refusal = {
  status: 500,
  error: "proxy_internal_error",
  message: "the gateway failed",
};

const UNUSABLE = "the origin did not give a usable answer";

/** A status that the listener cannot send: above 599 it is none (RFC 9110 15). */
export const UNKNOWN_STATUS: Refusal = { status: 502, error: "http_protocol_error", message: UNUSABLE };

/** When no route takes the request. */
export function ofNoRoute(match: Exclude<RouteMatch, { kind: "route" }>): Refusal {
  switch (match.kind) {
    case "unknownHost":
      return {
        status: 421,
        error: "destination_not_found",
        message: "this gateway does not serve that host",
      };
    case "unknownPath":
      return { status: 404, error: "destination_not_found", message: "no route takes this path" };
    case "ambiguousPath":
      return {
        status: 400,
        error: "http_request_error",
        message: "the path can be read in more than one way",
      };
    case "methodNotAllowed":
      return {
        status: 405,
        error: "http_request_denied",
        message: "no route takes this method here",
        allow: match.allow,
      };
  }
}

/** When no endpoint could be claimed. */
export function ofNoLease(why: Exclude<NoLease, "clientGone">): Refusal {
  switch (why) {
    case "queueFull":
      return { ...AT_LIMIT, message: "every endpoint is at its limit and the queue is full" };
    case "queueTimeout":
      return { ...AT_LIMIT, message: "every endpoint stayed at its limit for too long" };
    case "outOfTime":
      return OUT_OF_TIME;
    case "noEndpoint":
      return NO_ENDPOINT;
  }
}

/** After the last attempt failed. The details stay in the log: they name endpoints. */
export function ofFailure(failure: Failure): Refusal {
  const { status, error } = answerFor(failure);
  const message = status === 504 ? OUT_OF_TIME.message : UNUSABLE;
  return { status, error, message };
}

/** Of a body whose length is declared; null when it may come. `bytesMax` 0 is no limit. */
export function ofBodyLength(bytes: number, bytesMax: number): Refusal | null {
  return bytesMax > 0 && bytes > bytesMax ? bodyTooLarge(bytesMax) : null;
}

function bodyTooLarge(bytesMax: number): Refusal {
  return {
    status: 413,
    error: "http_request_error",
    message: `request body larger than ${bytesMax} bytes`,
    close: true,
  };
}

/** When the client's own body was the problem. */
export function ofRequestBody(cause: "malformed" | "timedOut" | "tooLarge", bytesMax: number): Refusal {
  switch (cause) {
    case "tooLarge":
      return bodyTooLarge(bytesMax);
    case "timedOut":
      return {
        status: 408,
        error: "http_request_error",
        message: "the request body did not come in time",
        close: true,
      };
    case "malformed":
      return {
        status: 400,
        error: "http_request_error",
        message: "the request body is malformed",
        close: true,
      };
  }
}
