import { parentPort, threadId, workerData } from 'node:worker_threads';
import { AuroraError } from '../../../base/errors';
import type { AskedRow, RowAnswer } from './ask-row';
import { readDataRow } from './data-row';

/** Reads one row outside the thread that VS Code's extensions share. */
const { file, line } = workerData as AskedRow;
const answer = (value: RowAnswer) => parentPort!.postMessage(value);
readDataRow(file, line).then(
  (text) => answer({ text, threadId }),
  (e: unknown) =>
    answer({
      message: (e as Error).message,
      ...(e instanceof AuroraError && { known: { kind: e.kind, hint: e.hint } }),
      threadId,
    }),
);
