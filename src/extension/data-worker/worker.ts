import { parentPort, threadId, workerData } from 'node:worker_threads';
import { AuroraError } from '../../base/errors';
import { rowWord } from '../../protocol/row-place';
import type { Answer, Asked } from './ask';
import { readDataRow } from './data-row';
import { readParquetHead } from './parquet-head';
import { readTableRow } from './table-row';

/** Reads a part of a data file outside the thread that VS Code's extensions share. */
const answer = (value: Answer) => parentPort!.postMessage(value);

function read(asked: Asked): Promise<unknown> {
  if ('head' in asked) return readParquetHead(asked.head);
  const { file, line } = asked;
  return rowWord(file) === 'line' ? readDataRow(file, line) : readTableRow(file, line);
}

read(workerData as Asked).then(
  (value) => answer({ value, threadId }),
  (e: unknown) =>
    answer({
      message: (e as Error).message,
      ...(e instanceof AuroraError && { known: { kind: e.kind, hint: e.hint } }),
      threadId,
    }),
);
