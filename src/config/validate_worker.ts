// The module of the thread that validates a configuration: one question, one answer.

import { validate, type Validated, type ValidateInputs } from "./validate.ts";

const worker = self as unknown as {
  postMessage(message: Validated): void;
  onmessage: ((event: MessageEvent<ValidateInputs>) => void) | null;
};

worker.onmessage = ({ data }) => worker.postMessage(validate(data));
