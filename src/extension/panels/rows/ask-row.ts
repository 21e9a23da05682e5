import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AuroraError } from '../../../base/errors';

export interface AskedRow {
  file: string;
  /** One-based. */
  line: number;
}

/** The worker's answer. */
export type RowAnswer = { threadId: number } & (
  { text: string } | { message: string; known?: Pick<AuroraError, 'kind' | 'hint'> }
);

/**
 * `readDataRow` in a worker: user files can have any size and shape, and must not block the extension host.
 *
 * @param program the built data-row-worker
 * @throws AuroraError as `readDataRow`
 */
export async function askForRow(
  asked: AskedRow,
  program = join(__dirname, 'data-row-worker.cjs'),
): Promise<string> {
  const answer = await askWorker(asked, program);
  if ('text' in answer) return answer.text;
  if (answer.known) throw new AuroraError(answer.known.kind, answer.message, answer.known.hint);
  throw new Error(answer.message);
}

/** One worker per request. */
export async function askWorker(asked: AskedRow, program: string): Promise<RowAnswer> {
  const worker = new Worker(program, { workerData: asked, resourceLimits: { maxOldGenerationSizeMb: 256 } });
  try {
    return await new Promise<RowAnswer>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('The worker that reads the row ended.')));
    });
  } finally {
    await worker.terminate();
  }
}
