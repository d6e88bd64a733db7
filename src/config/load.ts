// The one way to a configuration: flags > environment > file > defaults, or every reason why there is none.
//
// Reads the file it is pointed to and nothing else; never throws, prints or exits. What runs a pod loads apart
// (`load_apart.ts`), which comes to the same.

import { type Loaded, type LoadInputs, loadWith, type Refused } from "./loading.ts";
import { validate } from "./validate.ts";

/** Reads all sources. Resolves to a configuration that is whole and consistent, or to all findings. */
export function loadConfig(inputs: LoadInputs): Promise<Loaded | Refused> {
  return loadWith(validate, inputs);
}
