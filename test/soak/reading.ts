import { existsSync } from 'node:fs';
import { parentPort, Worker } from 'node:worker_threads';
import { AuroraError } from '../../src/base/errors';
import { Draw } from './draw';

/**
 * The bounds of every reader of a small file, on any machine: a longer read counts as a hang. Buffers are not in V8's
 * heap, so the process's own memory may grow by no more either.
 */
const LONGEST_MS = 120_000;
const MOST_MEMORY_MB = 2048;
/** Characters of an error, with its hint: a terminal or a notification shows it. */
const MOST_ERROR = 66_000;

export interface Answer {
  /** The outcome in a few words, for the tally. */
  done: string;
  unclean?: string;
}

/** Something that reads a damaged file, in the thread. */
export type Reading = (draw: Draw, folder: string) => Promise<Answer>;

/** A thread that reads hostile files, and may hang or die. */
export class ReadingThread {
  private worker: Worker | undefined;

  /** @param role the thread's, which `main` gives its body */
  constructor(private readonly role: string) {}

  ask(seed: number, folder: string): Promise<Answer> {
    const worker = (this.worker ??= this.start());
    return new Promise((resolve) => {
      const end = (answer: Answer, broken: boolean) => {
        clearTimeout(late);
        worker.off('message', whole).off('error', failed).off('exit', exited);
        if (broken) {
          this.worker = undefined;
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

  private start(): Worker {
    const worker = new Worker(__filename, {
      workerData: { role: this.role },
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY_MB },
    });
    worker.unref();
    return worker;
  }
}

/** The body of that thread. */
export function readWhenAsked(reading: Reading): void {
  parentPort!.on('message', ({ seed, folder }: { seed: number; folder: string }) => {
    void Promise.resolve()
      .then(() => reading(new Draw(seed), folder))
      .catch((e: unknown): Answer => ({ done: '', unclean: (e as Error).stack ?? String(e) }))
      .then((answer) => parentPort!.postMessage(answer));
  });
}

/**
 * Reads a folder in every way.
 *
 * @param where the damage, for a report
 * @returns 'refused' if a reader threw an AuroraError, else 'read'
 */
export async function readInEveryWay(
  readers: readonly ((folder: string) => unknown)[],
  folder: string,
  where: string,
): Promise<Answer> {
  const globals = globalNames();
  const peak = peakMemory();
  let refused = false;
  for (const read of readers)
    try {
      await read(folder);
    } catch (e) {
      refused = true;
      const why = uncleanError(e);
      if (why !== undefined) return { done: where, unclean: `${where}: ${why}` };
    }
  if (globalNames() !== globals)
    return { done: where, unclean: `${where}: a built-in prototype was changed` };
  const grown = peakMemory() - peak;
  if (grown > MOST_MEMORY_MB)
    return { done: where, unclean: `${where}: the memory grew by ${Math.round(grown)} MB` };
  if (!existsSync(folder)) return { done: where, unclean: `${where}: the folder is gone` };
  return { done: refused ? 'refused' : 'read' };
}

function uncleanError(e: unknown): string | undefined {
  if (!(e instanceof AuroraError)) return (e as Error | undefined)?.stack ?? String(e);
  const length = e.message.length + (e.hint?.length ?? 0);
  return length > MOST_ERROR ? `an error of ${length} characters: ${e.message.slice(0, 300)} …` : undefined;
}

/** The most memory that the process has had so far, in MB. */
const peakMemory = (): number => process.resourceUsage().maxRSS / 1024;

const globalNames = (): string =>
  [Object.prototype, Array.prototype, Function.prototype, String.prototype, Map.prototype]
    .map((prototype) => Reflect.ownKeys(prototype).map(String).join())
    .join('|');
