/** The bytes of an answer, where Deno keeps them. */
export function heldBytes(response: Response): Uint8Array {
  const inner = Object.getOwnPropertySymbols(response).find(({ description }) => description === "response")!;
  // deno-lint-ignore no-explicit-any
  return (response as any)[inner].body.streamOrStatic.body;
}
