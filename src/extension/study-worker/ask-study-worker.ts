import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AuroraError } from '../../base/errors';
import type { PageStudy } from '../../study/page-study';
import type { AskedStudy, StudyWorkerData } from './study-questions';

/** The built worker. */
const PROGRAM = () => join(__dirname, 'study-worker.cjs');

/**
 * Ten thousand runs need 100 MB and leave several times as much garbage, which V8 collects earlier within these limits.
 * A study beyond them is an error of its page alone.
 */
const MEMORY_MB = 512;
const resourceLimits = { maxOldGenerationSizeMb: MEMORY_MB, maxYoungGenerationSizeMb: 4 };

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Computes studies in a thread that remembers the runs it has read. It starts with the first study. */
export class StudyWorker {
  private worker: Worker | undefined;
  /** In the order of the questions, which is that of the answers. */
  private waiting: Waiting[] = [];

  /**
   * @param l10n translations of the sentences in a study
   * @param program the built worker
   */
  constructor(
    private readonly l10n: Record<string, string>,
    private readonly program = PROGRAM(),
  ) {}

  /** The content of the page. Rejects if the thread ends early; the next question starts another one. */
  study(asked: Omit<AskedStudy, 'title'>): Promise<PageStudy> {
    return this.ask(asked) as Promise<PageStudy>;
  }

  /** The files of the report, by their path in its folder. */
  report(asked: AskedStudy & { title: string }): Promise<Map<string, string>> {
    return this.ask(asked) as Promise<Map<string, string>>;
  }

  /** Ends the thread. Its open questions are never answered. */
  dispose(): void {
    void this.worker?.terminate();
    this.worker = undefined;
    this.waiting = [];
  }

  private ask(asked: AskedStudy): Promise<unknown> {
    const worker = (this.worker ??= this.start());
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      worker.postMessage(asked);
    });
  }

  private start(): Worker {
    const workerData: StudyWorkerData = { l10n: this.l10n };
    const worker = new Worker(this.program, { workerData, resourceLimits });
    const ended = (error: Error) => {
      if (this.worker !== worker) return;
      this.worker = undefined;
      for (const { reject } of this.waiting.splice(0)) reject(error);
    };
    worker.on('message', (value) => this.waiting.shift()?.resolve(value));
    worker.on('error', (error: NodeJS.ErrnoException) =>
      ended(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooLarge(error) : error),
    );
    worker.on('exit', (code) => ended(endedEarly(code)));
    return worker;
  }
}

const tooLarge = (cause: Error) =>
  new AuroraError(
    'memory',
    `The study needs more memory than the ${MEMORY_MB} MB that it may use.`,
    'Open a study of fewer runs: check them in the runs table, and select Open Study there. `aurora study` in a terminal may use more memory.',
    { cause },
  );

const endedEarly = (code: number) =>
  new AuroraError(
    'failed',
    `The thread that computes the study ended unexpectedly (exit code ${code}).`,
    'Close other programs if memory is short, then open the study again.',
  );
