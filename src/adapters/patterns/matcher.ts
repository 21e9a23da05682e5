import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';

/** An expression to match against several paths. */
export interface Question {
  source: string;
  /** True asks for the number in the first group, false for a match. */
  number: boolean;
  paths: readonly string[];
}

/** The outcome of a query; `late` on a timeout. */
export type Answer =
  | { is: 'answered'; values: Float64Array; milliseconds: number }
  | { is: 'late' }
  | { is: 'failed'; why: string };

/** For a path that does not match. */
export const NO_MATCH = -1;

/**
 * The worker gets this function's source, so it must not use outer names: bundlers rename them.
 *
 * @returns the number in the first group or 0 on a match; else NO_MATCH
 */
export function valueOf(expression: RegExp, path: string, number: boolean): number {
  const found = expression.exec(path);
  if (!found) return -1;
  const value = number ? Number(found[1] ?? NaN) : 0;
  return Number.isNaN(value) ? -1 : value;
}

/** Cells that the worker writes for its waiting caller: its progress, and the time it took in microseconds. */
const [STATE, TOOK] = [0, 1];
const [ASKED, STARTED, DONE, FAILED] = [0, 1, 2, 3];

/** Plain JavaScript, so that bundles need no extra file. */
const PROGRAM = `
const { parentPort } = require('node:worker_threads');
const { performance } = require('node:perf_hooks');
const valueOf = ${valueOf.toString()};
parentPort.on('message', ({ source, number, paths, cells, values }) => {
  const tell = (state) => {
    Atomics.store(cells, ${STATE}, state);
    Atomics.notify(cells, ${STATE});
  };
  let why;
  parentPort.postMessage({ started: true });
  tell(${STARTED});
  const from = performance.now();
  try {
    const expression = new RegExp(source);
    paths.forEach((path, i) => (values[i] = valueOf(expression, path, number)));
  } catch (e) {
    why = e.message;
  }
  Atomics.store(cells, ${TOOK}, Math.round(1000 * (performance.now() - from)));
  tell(why === undefined ? ${DONE} : ${FAILED});
  parentPort.postMessage({ why });
});
`;

/**
 * Blocks until the worker has left a state. A wait may end early: between the worker's store and its notification, a
 * caller can already be waiting for the next state.
 */
function waitWhile(cells: Int32Array, state: number, milliseconds: number): void {
  const end = performance.now() + milliseconds;
  for (
    let left = milliseconds;
    left > 0 && Atomics.load(cells, STATE) === state;
    left = end - performance.now()
  )
    Atomics.wait(cells, STATE, state, left);
}

/** The machine may be out of threads; the next query tries again. */
const notStarted = (e: unknown): Answer => ({ is: 'failed', why: (e as Error).message });

/** A worker starts in far less time; one that has not by then never will. */
const START_MS = 30_000;

interface Asked {
  worker: Worker;
  cells: Int32Array;
  values: Float64Array;
}

/**
 * A worker that matches expressions, so that the caller can stop waiting: a thread in the middle of a match can only be
 * terminated. A terminated worker is replaced at the next query.
 */
export class Matcher {
  private worker: Worker | undefined;
  private queue: Promise<unknown> = Promise.resolve();

  /** Sequential queries, while this thread does other things. */
  ask(question: Question, milliseconds: number): Promise<Answer> {
    const answer = this.queue.then(() => this.askNext(question, milliseconds)).catch(notStarted);
    this.queue = answer;
    return answer;
  }

  /** Blocks this thread. Do not use on a matcher that has queries from `ask`. */
  askAndWait(question: Question, milliseconds: number): Answer {
    let asked: Asked;
    try {
      asked = this.post(question);
    } catch (e) {
      return notStarted(e);
    }
    const { cells } = asked;
    waitWhile(cells, ASKED, START_MS);
    waitWhile(cells, STARTED, milliseconds);
    return this.answer(asked, 'it did not start');
  }

  private askNext(question: Question, milliseconds: number): Promise<Answer> {
    const asked = this.post(question);
    const { worker } = asked;
    worker.ref();
    return new Promise((resolve) => {
      const end = (why: string) => {
        clearTimeout(timer);
        worker.off('message', hear).off('error', fail).off('exit', fail);
        worker.unref();
        resolve(this.answer(asked, why));
      };
      const hear = (message: { started?: true; why?: string }) => {
        if (!message.started) return end(message.why ?? '');
        clearTimeout(timer);
        timer = setTimeout(end, milliseconds, 'late');
      };
      const fail = (e: unknown) => end(e instanceof Error ? e.message : 'it ended');
      let timer = setTimeout(end, START_MS, 'it did not start');
      worker.on('message', hear).on('error', fail).on('exit', fail);
    });
  }

  private post(question: Question): Asked {
    const worker = (this.worker ??= this.start());
    const cells = new Int32Array(new SharedArrayBuffer(8));
    const values = new Float64Array(new SharedArrayBuffer(8 * question.paths.length));
    worker.postMessage({ ...question, cells, values });
    return { worker, cells, values };
  }

  /** Reads the worker's answer: messages may be late if this thread was busy. */
  private answer({ worker, cells, values }: Asked, why: string): Answer {
    const state = Atomics.load(cells, STATE);
    if (state === DONE) return { is: 'answered', values, milliseconds: cells[TOOK]! / 1000 };
    if (state === FAILED) return { is: 'failed', why };
    if (this.worker === worker) this.worker = undefined;
    void worker.terminate();
    return state === STARTED ? { is: 'late' } : { is: 'failed', why };
  }

  private start(): Worker {
    const worker = new Worker(PROGRAM, { eval: true, env: {}, execArgv: [], stdin: false });
    // Without a listener, an error would be thrown in this thread.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      if (this.worker === worker) this.worker = undefined;
    });
    worker.unref();
    return worker;
  }
}
