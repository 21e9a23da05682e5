import { readFileSync, writeFileSync } from 'node:fs';
import { parentPort, Worker } from 'node:worker_threads';
import { clean, type Campaign } from './campaign';
import { Draw } from './draw';
import { makeSubjects } from './made';
import { damagedBytes, damagedJson } from './mutate';
import { emptyFolder, isRefusal, placeIn, type Subject } from './subjects';

/** Longer than any reader needs for files this small, on any machine. A longer read counts as a hang. */
const LONGEST_MS = 120_000;
/** Requires a machine with memory to spare. No mutant of a small file may need more. */
const MOST_MEMORY_MB = 2048;

interface Answer {
  done: string;
  unclean?: string;
}

/** Damages one file of a subject and reads it in every possible way, in a thread that may hang or die. */
export const mutants: Campaign = {
  name: 'mutants',
  slice: 250,
  prepare: () => makeSubjects(),
  async trial(draw, folder) {
    const { done, unclean } = await ask(draw.seed, folder);
    clean(unclean === undefined, unclean ?? '');
    return done;
  },
};

let reader: Worker | undefined;

async function ask(seed: number, folder: string): Promise<Answer> {
  const worker = (reader ??= newReader());
  return new Promise((resolve) => {
    const end = (answer: Answer, broken: boolean) => {
      clearTimeout(late);
      worker.off('message', whole).off('error', failed).off('exit', exited);
      if (broken) {
        reader = undefined;
        void worker.terminate();
      }
      resolve(answer);
    };
    const whole = (answer: Answer) => end(answer, false);
    const failed = (e: Error) => end({ done: '', unclean: `crashed the thread: ${e.message}` }, true);
    const exited = (code: number) => end({ done: '', unclean: `ended the thread with code ${code}` }, true);
    const late = setTimeout(
      () => end({ done: '', unclean: `is still being read after ${LONGEST_MS / 1000} s` }, true),
      LONGEST_MS,
    );
    worker.on('message', whole).on('error', failed).on('exit', exited);
    worker.postMessage({ seed, folder });
  });
}

function newReader(): Worker {
  const worker = new Worker(__filename, {
    workerData: { role: 'reader' },
    resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY_MB },
  });
  worker.unref();
  return worker;
}

/** The body of that thread. */
export function readMutants(): void {
  const all = makeSubjects();
  parentPort!.on('message', ({ seed, folder }: { seed: number; folder: string }) => {
    void readMutant(all, new Draw(seed), folder).then((answer) => parentPort!.postMessage(answer));
  });
}

async function readMutant(all: readonly Subject[], draw: Draw, folder: string): Promise<Answer> {
  const subject = draw.pick(all);
  const file = draw.pick(subject.make(emptyFolder(folder)));
  const how = damage(draw, file);
  const where = `${subject.name}: ${placeIn(folder, file)} (${how})`;
  const globals = globalNames();
  let refused = false;
  for (const read of subject.readers)
    try {
      await read(folder);
    } catch (e) {
      refused = true;
      if (!isRefusal(e)) return { done: where, unclean: `${where}: ${(e as Error).stack ?? String(e)}` };
    }
  if (globalNames() !== globals)
    return { done: where, unclean: `${where}: a built-in prototype was changed` };
  return { done: refused ? 'refused' : 'read' };
}

/**
 * Damages a file.
 *
 * @returns the kind of damage in a word
 */
function damage(draw: Draw, file: string): string {
  const bytes = readFileSync(file);
  const value = /\.(json|jsonl)$/.test(file) && draw.int(3) > 0 ? parsed(bytes) : undefined;
  writeFileSync(file, value === undefined ? damagedBytes(draw, bytes) : serialized(draw, value));
  return value === undefined ? 'bytes' : 'values';
}

/** The parsed JSON, or the lines of a JSON Lines file. */
function parsed(bytes: Buffer): unknown[] | undefined {
  try {
    return bytes
      .toString('utf8')
      .split(/\n(?=[{[])/)
      .map((line) => JSON.parse(line) as unknown);
  } catch {
    return undefined;
  }
}

function serialized(draw: Draw, lines: unknown[]): string {
  const at = draw.int(lines.length);
  return lines
    .map((line, i) => JSON.stringify(i === at ? damagedJson(draw, line) : line) ?? 'null')
    .join('\n')
    .concat('\n');
}

const globalNames = (): string =>
  [Object.prototype, Array.prototype, Function.prototype, String.prototype, Map.prototype]
    .map((prototype) => Reflect.ownKeys(prototype).map(String).join())
    .join('|');
