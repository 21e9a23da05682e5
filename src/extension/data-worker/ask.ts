import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AuroraError } from '../../base/errors';
import type { DataHead } from '../../table/head';

export interface AskedRow {
  file: string;
  /** One-based. */
  line: number;
}

/** A row of a data file, or the head of a Parquet file. */
export type Asked = AskedRow | { head: string };

/** The worker's answer. */
export type Answer = { threadId: number } & (
  { value: unknown } | { message: string; known?: Pick<AuroraError, 'kind' | 'hint'> }
);

/** The built worker. */
const PROGRAM = () => join(__dirname, 'data-worker.cjs');

/**
 * A row as text, read in a worker: user files can have any size and shape, and must not block the extension host.
 *
 * @param program the built worker
 * @throws AuroraError as `readDataRow` and `readTableRow`
 */
export const askForRow = (asked: AskedRow, program = PROGRAM()): Promise<string> =>
  ask(asked, program) as Promise<string>;

/** Columns and first values of a Parquet file; undefined if it cannot be read. The host has no reader for it. */
export const askForHead = (file: string, program = PROGRAM()): Promise<DataHead | undefined> =>
  ask({ head: file }, program) as Promise<DataHead | undefined>;

async function ask(asked: Asked, program: string): Promise<unknown> {
  const answer = await askWorker(asked, program);
  if ('value' in answer) return answer.value;
  if (answer.known) throw new AuroraError(answer.known.kind, answer.message, answer.known.hint);
  throw new Error(answer.message);
}

/** One worker per request. */
export async function askWorker(asked: Asked, program: string): Promise<Answer> {
  const worker = new Worker(program, { workerData: asked, resourceLimits: { maxOldGenerationSizeMb: 256 } });
  try {
    return await new Promise<Answer>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('The worker that reads the data file ended.')));
    });
  } finally {
    await worker.terminate();
  }
}
