/** Lets everything happen that waits for nothing but promises that are settled. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await null;
}
