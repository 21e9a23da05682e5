import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { requireOwned, writerOf } from '../../files/fence';
import { thisProcess } from '../../files/processes';
import { runPaths } from '../../runs/layout';
import { writeStatus } from '../../runs/status';
import { diskError } from '../../files/atomic';
import type { RunState, RunStatus, StopReason } from '../../protocol/events';
import { writeEndStatus } from './last-status';

/** Cells of the memory that both threads see. */
export const CELL = { stop: 0, checkpoint: 1, step: 2, steps: 3 } as const;

/** What the cell `stop` holds; 0 while nobody asks. */
export const STOP = { requested: 1, 'window-closed': 2 } as const satisfies Partial<
  Record<StopReason, number>
>;

/**
 * After a request to stop, the step in hand and what is saved after it may each take so long; then the
 * process is taken to hang and is killed. Steps of about four seconds have been measured; this leaves room
 * for models and machines fifteen times slower.
 */
const STOP_TIMEOUT_MS = 60_000;

/** A run on a lease stops when nobody has touched `control/lease` for so long; the editor does every five seconds. */
export const LEASE_MS = 60_000;

/** A thread that fails at once must not keep a core busy. */
const RESTART_MS = 1000;

export interface PulseOptions {
  /** Milliseconds after which a process that was asked to stop is taken to hang. */
  stopTimeout?: number;
  /** Milliseconds that a lease lasts; left out, the run needs none. */
  lease?: number;
  /** Gets whole sentences on what does not work and does not end the run. */
  warn?: (message: string) => void;
}

export interface PulseData {
  run: string;
  cells: Int32Array;
  status: RunStatus;
  stopTimeout: number;
  lease: number | undefined;
  /** Whether this process owns the run; the status has its nonce then. */
  owned: boolean;
}

/** Of this process, which has just begun. */
export const newStatus = (state: RunState, now = Date.now()): RunStatus => ({
  ...thisProcess(),
  nonce: randomBytes(8).toString('hex'),
  state,
  step: 0,
  steps: 0,
  startedAt: now,
  heartbeat: now,
});

/** The status of a run that ended before its trainer began. */
export const writeLastStatus = (run: string, state: Exclude<RunState, 'running'>): void =>
  writeStatus(run, newStatus(state));

/**
 * The run's sign of life. `session.run` blocks the training thread for a whole step, so a small second
 * thread writes the heartbeat and watches `control/` for requests.
 */
export class Pulse {
  private worker: Worker;
  private ended = false;

  private constructor(
    private readonly workerFile: string,
    private readonly data: PulseData,
    private readonly warn: (message: string) => void,
  ) {
    this.worker = this.startWorker();
  }

  /** @param workerFile the built pulse-worker; the first status.json is on disk when this returns */
  static start(run: string, workerFile: string, options: PulseOptions = {}): Pulse {
    const cells = new Int32Array(new SharedArrayBuffer(4 * Object.keys(CELL).length));
    const owner = writerOf(run);
    const status = { ...newStatus('running'), ...(owner && { nonce: owner.nonce }) };
    // A request that an earlier process did not live to see must not stop this one.
    clear(runPaths(run).control);
    writeStatus(run, status);
    const { stopTimeout = STOP_TIMEOUT_MS, lease, warn = () => undefined } = options;
    const owned = owner !== undefined;
    return new Pulse(workerFile, { run, cells, status, stopTimeout, lease, owned }, warn);
  }

  /** One that fails is replaced: without it nobody hears from the run, and it hears nobody, but it trains. */
  private startWorker(): Worker {
    const worker = new Worker(this.workerFile, { workerData: this.data });
    const warn = (message: string) => this.ended || this.warn(message);
    worker.on('message', warn);
    worker.on('error', (e) => warn(`The heartbeat of the run failed and is restarted: ${e.message}`));
    worker.once('exit', () => {
      if (this.ended) return;
      const again = () => {
        if (!this.ended) this.worker = this.startWorker();
      };
      setTimeout(again, RESTART_MS).unref();
    });
    // It must not keep a process alive whose trainer failed so badly that it could not end it. A listener undoes this.
    worker.unref();
    return worker;
  }

  progress(step: number, steps: number): void {
    Atomics.store(this.data.cells, CELL.step, step);
    Atomics.store(this.data.cells, CELL.steps, steps);
  }

  /** Who wants the run to stop after the step in hand; undefined while nobody does. */
  stopRequested(): StopReason | undefined {
    const cell = Atomics.load(this.data.cells, CELL.stop);
    return cell === 0 ? undefined : cell === STOP.requested ? 'requested' : 'window-closed';
  }

  /** True once a request. */
  checkpointRequested(): boolean {
    return Atomics.exchange(this.data.cells, CELL.checkpoint, 0) === 1;
  }

  /**
   * Ends the second thread, then writes the last status.
   *
   * @param run where the folder is now
   */
  async end(state: Exclude<RunState, 'running'>, run = this.data.run): Promise<void> {
    this.ended = true;
    await this.worker.terminate();
    const [step, steps] = [CELL.step, CELL.steps].map((cell) => Atomics.load(this.data.cells, cell));
    await writeEndStatus(run, { ...this.data.status, state, step, steps, heartbeat: Date.now() });
  }
}

function clear(control: string): void {
  requireOwned(control);
  try {
    rmSync(control, { recursive: true, force: true, maxRetries: 3 });
  } catch (e) {
    throw diskError(control, e);
  }
}
