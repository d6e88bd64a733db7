// What a command says: on stdout what it was asked for, on stderr why it cannot do it.
//
// A reader that has left, as `head` does, makes no difference. A file on a full disk takes nothing: that ends a command
// whose answer is lost, and nothing else, as what a pod has to say at its start is no reason not to serve.

import { messageOf } from "../error_message.ts";

/** Stdout does not take what is printed. The message says why. */
export class PrintError extends Error {
  override readonly name = "PrintError";
}

/** Says it on stdout. @throws PrintError */
export function print(text: string): void {
  try {
    console.log(text);
  } catch (error) {
    throw new PrintError(`cannot print: ${messageOf(error)}`);
  }
}

/** Says it on stderr, if that takes it. */
export function complain(text: string): void {
  try {
    console.error(text);
  } catch {
    // There is nowhere else to say it; the exit code tells.
  }
}
