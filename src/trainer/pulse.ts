import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { writerOf } from '../files/fence';
import { thisProcess } from '../files/processes';
import { runPaths } from '../runs/layout';
import { writeStatus } from '../runs/status';
import type { RunState, RunStatus, StopReason } from '../shared/events';

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

export interface PulseOptions {
  /** Milliseconds after which a process that was asked to stop is taken to hang. */
  stopTimeout?: number;
  /** Milliseconds that a lease lasts; left out, the run needs none. */
  lease?: number;
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
  private constructor(
    private readonly worker: Worker,
    private readonly cells: Int32Array,
    private readonly run: string,
    private readonly status: RunStatus,
  ) {}

  /** @param workerFile the built pulse-worker; the first status.json is on disk when this returns */
  static start(run: string, workerFile: string, options: PulseOptions = {}): Pulse {
    const cells = new Int32Array(new SharedArrayBuffer(4 * Object.keys(CELL).length));
    const owner = writerOf(run);
    const status = { ...newStatus('running'), ...(owner && { nonce: owner.nonce }) };
    // A request that an earlier process did not live to see must not stop this one.
    rmSync(runPaths(run).control, { recursive: true, force: true });
    writeStatus(run, status);
    const { stopTimeout = STOP_TIMEOUT_MS, lease } = options;
    const data: PulseData = { run, cells, status, stopTimeout, lease, owned: owner !== undefined };
    const worker = new Worker(workerFile, { workerData: data });
    // It must not keep a process alive whose trainer failed so badly that it could not end it.
    worker.unref();
    return new Pulse(worker, cells, run, status);
  }

  progress(step: number, steps: number): void {
    Atomics.store(this.cells, CELL.step, step);
    Atomics.store(this.cells, CELL.steps, steps);
  }

  /** Who wants the run to stop after the step in hand; undefined while nobody does. */
  stopRequested(): StopReason | undefined {
    const cell = Atomics.load(this.cells, CELL.stop);
    return cell === 0 ? undefined : cell === STOP.requested ? 'requested' : 'window-closed';
  }

  /** True once a request. */
  checkpointRequested(): boolean {
    return Atomics.exchange(this.cells, CELL.checkpoint, 0) === 1;
  }

  /** Ends the second thread, then writes the last status. */
  async end(state: Exclude<RunState, 'running'>): Promise<void> {
    await this.worker.terminate();
    const [step, steps] = [CELL.step, CELL.steps].map((cell) => Atomics.load(this.cells, cell));
    writeStatus(this.run, { ...this.status, state, step, steps, heartbeat: Date.now() });
  }
}
