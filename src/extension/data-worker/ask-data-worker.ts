import { join } from 'node:path';
import { AuroraError, errorFrom } from '../../base/errors';
import { count } from '../../base/number-text';
import type { DataHead } from '../../table/head';
import type { ProgramResult, RunningProgram } from '../launcher/client';
import { trainerEnvironment } from '../launcher/environment';
import { startProgram } from '../../executors/local/program';
import { type Answer, type Asked, type AskedRow, MOST_MEMORY_MB } from './data-questions';

/** The built program. */
const PROGRAM = () => join(__dirname, 'data-worker.cjs');

/** The limit on the heap of V8 alone. A reader needs a few megabytes for most files. */
const HEAP_MB = 256;

/** The beginning of a file takes milliseconds, a row at the end of 2 GiB of text ten seconds. */
const MOST_MS = 60_000;

/** Programs that read at the same time: an experiment can name any number of files. */
const AT_ONCE = 2;

let findNode: () => Promise<string> = () => Promise.resolve(process.execPath);
const running = new Set<RunningProgram>();
let reading = 0;
const waiting: (() => void)[] = [];

/** Sets the function by which the window finds Node. Disposing the result ends all readers. */
export function readDataWith(find: () => Promise<string>): { dispose(): void } {
  findNode = find;
  return {
    dispose() {
      for (const reader of running) reader.kill('lost its window', true);
    },
  };
}

/** Limits, which tests lower. */
export interface Reader {
  program?: string;
  timeout?: number;
}

/**
 * A row as text, read in a separate process: user files can have any size and shape, and whatever happens to the memory
 * of a process happens to all its threads.
 *
 * @throws AuroraError as `readDataRow` and `readTableRow`, and if reading takes too much time or memory
 */
export const askForRow = (asked: AskedRow, reader?: Reader): Promise<string> =>
  ask(asked, asked.file, reader) as Promise<string>;

/**
 * Columns and first values of a Parquet file; undefined if its columns have too many or too long names. The host has no
 * reader for it.
 *
 * @throws AuroraError if it cannot be read, or if reading takes too much time or memory
 */
export const askForHead = (file: string, reader?: Reader): Promise<DataHead | undefined> =>
  ask({ head: file }, file, reader) as Promise<DataHead | undefined>;

async function ask(asked: Asked, file: string, reader: Reader = {}): Promise<unknown> {
  const answer = await inTurn(() => askProgram(asked, file, reader));
  if ('error' in answer) throw errorFrom(answer.error);
  return answer.value;
}

async function inTurn<T>(action: () => Promise<T>): Promise<T> {
  if (reading < AT_ONCE) reading++;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    return await action();
  } finally {
    // The next one takes this one's turn.
    const next = waiting.shift();
    if (next) next();
    else reading--;
  }
}

/** Starts a process for each request. */
async function askProgram(
  asked: Asked,
  file: string,
  { program = PROGRAM(), timeout = MOST_MS }: Reader,
): Promise<Answer> {
  const reader = startProgram({
    node: await findNode(),
    args: [`--max-old-space-size=${HEAP_MB}`, program, JSON.stringify(asked)],
    env: trainerEnvironment(process.env),
    timeout,
  });
  running.add(reader);
  const ended = await reader.ended
    .catch((e: AuroraError) => {
      throw e.kind === 'stopped' ? tooSlow(file, timeout, e) : e;
    })
    .finally(() => running.delete(reader));
  return answerIn(ended) ?? tooLarge(file, ended);
}

function answerIn({ code, stdout }: ProgramResult): Answer | undefined {
  if (code !== 0) return undefined;
  try {
    return JSON.parse(stdout) as Answer;
  } catch {
    return undefined;
  }
}

const SAFE = 'Use this file only if you trust its source.';

const tooSlow = (file: string, timeout: number, cause: AuroraError): AuroraError =>
  new AuroraError(
    'data',
    `Reading ${file} took longer than ${count(Math.round(timeout / 1000))} s and was stopped.`,
    SAFE,
    { cause },
  );

/** A reader that ends without an answer has reached a limit of its memory, V8's or its own. */
function tooLarge(file: string, { code, stderr }: ProgramResult): never {
  throw new AuroraError(
    'memory',
    `Reading ${file} needs more than ${count(MOST_MEMORY_MB)} MB of memory and was stopped.`,
    `${SAFE} A Parquet file needs less if it is rewritten with smaller row groups.`,
    { cause: new Error(`exit code ${code}: ${stderr.slice(-2000)}`) },
  );
}
