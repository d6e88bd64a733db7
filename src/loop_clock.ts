// The clock of an event loop: asked once for all that happens together.
//
// A request asks for the time three times, and asking costs as much as parsing its head. What a loop does in one go is
// at one time for it, as it is for nginx and HAProxy, which ask once a turn: here once for each step that is taken with
// all requests whose operations are finished, so that it is never late by more than such a step.

const settled = Promise.resolve();

/** `now`, remembered until what is about to run has run. */
export function loopClock(now: () => number): () => number {
  let known = false;
  let time = 0;
  const forget = () => {
    known = false;
  };
  return () => {
    if (known) return time;
    known = true;
    settled.then(forget);
    return time = now();
  };
}
