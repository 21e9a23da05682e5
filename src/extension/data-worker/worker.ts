import { Worker } from 'node:worker_threads';
import { errorRecord } from '../../base/errors';
import { writeAll } from '../../files/error-pipe';
import { rowWord } from '../../protocol/row-place';
import { MOST_MEMORY_MB, type Answer, type Asked } from './data-questions';
import { readDataRow } from './data-row';
import { readParquetHead } from './parquet-head';
import { readTableRow } from './table-row';

/**
 * Reads a part of a data file in a process of the extension that has no VS Code and nothing to lose. V8's limit does not
 * count buffers, so a second thread watches the memory of the process, also while this one decodes.
 */
const WATCH = `
setInterval(() => {
  if (process.memoryUsage.rss() > ${MOST_MEMORY_MB} * 2 ** 20) process.kill(process.pid, 'SIGKILL');
}, 20);
`;
new Worker(WATCH, { eval: true, env: {}, stdin: false }).unref();

function read(asked: Asked): Promise<unknown> {
  if ('head' in asked) return readParquetHead(asked.head);
  const { file, line } = asked;
  return rowWord(file) === 'line' ? readDataRow(file, line) : readTableRow(file, line);
}

const print = (answer: Answer): void => writeAll(1, JSON.stringify(answer));

read(JSON.parse(process.argv[2]!) as Asked).then(
  (value) => print({ value }),
  (e: unknown) => print({ error: errorRecord(e) }),
);
