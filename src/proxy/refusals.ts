// The refusals that the handler knows by name.

import { bodyTooLarge } from "./acceptance.ts";
import { answerFor, type Failure } from "./failure.ts";
import type { Refusal } from "./refusal.ts";

export const OVERLOADED: Refusal = {
  status: 503,
  error: "connection_limit_reached",
  message: "this gateway is at its limit of requests",
  retryAfterS: 1,
};

export const NO_ENDPOINT: Refusal = {
  status: 503,
  error: "destination_unavailable",
  message: "no endpoint can take the request",
  retryAfterS: 1,
};

export const INTERNAL_ERROR: Refusal = {
  status: 500,
  error: "proxy_internal_error",
  message: "the gateway failed",
};

/** After the last attempt failed. The details stay in the log: they name endpoints. */
export function ofFailure(failure: Failure): Refusal {
  const { status, error } = answerFor(failure);
  const message = status === 504
    ? "the origin did not answer in time"
    : "the origin did not give a usable answer";
  return { status, error, message };
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
