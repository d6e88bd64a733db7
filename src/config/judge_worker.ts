// The module of the thread that judges a configuration: one question, one answer.

import { judge, type Judged, type JudgeInputs } from "./judge.ts";

const worker = self as unknown as {
  postMessage(message: Judged): void;
  onmessage: ((event: MessageEvent<JudgeInputs>) => void) | null;
};

worker.onmessage = ({ data }) => worker.postMessage(judge(data));
