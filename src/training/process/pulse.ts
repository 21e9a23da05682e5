import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, rmSync, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { AuroraError } from '../../base/errors';
import { diskError } from '../../files/atomic';
import { requireOwned, writerOf } from '../../files/fence';
import { thisProcess } from '../../files/processes';
import type { RunState, RunStatus, StopReason } from '../../protocol/events';
import { onlyChanges, type Preparing } from '../../protocol/preparing';
import { runPaths } from '../../runs/layout';
import { writeStatus } from '../../runs/status';

/** Cells of the memory shared by both threads. */
export const CELL = { stop: 0, checkpoint: 1, step: 2, steps: 3 } as const;

/** Values of the cell `stop`; 0 without a request. */
export const STOP = { requested: 1, 'window-closed': 2 } as const satisfies Partial<
  Record<StopReason, number>
>;

/**
 * After a stop request, the current step and the save after it may each take this long; then the process is considered
 * hung and is killed. Steps of about four seconds have been measured; this allows for models and machines fifteen times
 * slower.
 */
const STOP_TIMEOUT_MS = 60_000;

/**
 * A run on a lease stops if `control/lease` has not been touched for this long; the editor touches it every five
 * seconds.
 */
export const LEASE_MS = 60_000;

/** A thread that fails at once must not keep a core busy. */
const RESTART_MS = 1000;

export interface PulseOptions {
  /** Milliseconds after which a process that was asked to stop is considered hung. */
  stopTimeout?: number;
  /** Duration of a lease in milliseconds; if left out, the run needs none. */
  lease?: number;
  /** Set to record the machine's resources while steps are trained. */
  resources?: boolean;
  /** Gets full sentences about failures that do not end the run. */
  warn?: (message: string) => void;
}

export interface PulseData {
  run: string;
  cells: Int32Array;
  status: RunStatus;
  stopTimeout: number;
  lease: number | undefined;
  /** True if this process owns the run; then the status has its nonce. */
  owned: boolean;
  resources: boolean;
}

/** For this process, which has just started. */
export const newStatus = (state: RunState, now = Date.now()): RunStatus => ({
  ...thisProcess(),
  nonce: randomBytes(8).toString('hex'),
  state,
  step: 0,
  steps: 0,
  startedAt: now,
  heartbeat: now,
});

/** The status of a run that ended before its trainer started. */
export const writeLastStatus = (run: string, state: Exclude<RunState, 'running'>): void =>
  writeStatus(run, newStatus(state));

/**
 * The run's sign of life. `session.run` blocks the training thread for a whole step, so a small second thread writes
 * the heartbeat and watches `control/` for requests.
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
    // A request meant for an earlier process must not stop this one.
    clear(runPaths(run).control);
    writeStatus(run, status);
    const { stopTimeout = STOP_TIMEOUT_MS, lease, resources = false, warn = () => undefined } = options;
    const owned = owner !== undefined;
    return new Pulse(workerFile, { run, cells, status, stopTimeout, lease, owned, resources }, warn);
  }

  /**
   * A failed worker is replaced: without it, the run has no heartbeat and requests get no response, but training
   * continues.
   */
  private startWorker(): Worker {
    const worker = new Worker(this.workerFile, { workerData: this.data });
    const warn = (message: string) => this.ended || this.warn(message);
    worker.on('message', warn);
    worker.on('error', (e) => warn(`The heartbeat of the run failed and was restarted: ${e.message}`));
    worker.once('exit', () => {
      if (this.ended) return;
      const again = () => {
        if (!this.ended) this.worker = this.startWorker();
      };
      setTimeout(again, RESTART_MS).unref();
    });
    // It must not keep a process alive whose trainer failed too badly to end it. A listener undoes this.
    worker.unref();
    return worker;
  }

  progress(step: number, steps: number): void {
    Atomics.store(this.data.cells, CELL.step, step);
    Atomics.store(this.data.cells, CELL.steps, steps);
  }

  /** The work before the first step; the next heartbeat reports it. Undefined from then on. */
  preparing = onlyChanges<Preparing>((now) => this.worker.postMessage(now));

  /** The reason why the run should stop after the current step; undefined without a request. */
  stopRequested(): StopReason | undefined {
    const cell = Atomics.load(this.data.cells, CELL.stop);
    return cell === 0 ? undefined : cell === STOP.requested ? 'requested' : 'window-closed';
  }

  /** True once per request. */
  checkpointRequested(): boolean {
    return Atomics.exchange(this.data.cells, CELL.checkpoint, 0) === 1;
  }

  /**
   * Ends the second thread, then writes the final status.
   *
   * @param run the present path of the run's folder
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

/** Delays between attempts, in ms: for a virus scanner, or a network disk that recovers. */
const WAITS = [100, 300, 1000];

/**
 * Writes a run's final status, so that it does not stay `running`: several attempts, and finally into the existing
 * file, for a folder that takes no new files.
 *
 * @throws AuroraError 'disk' if none of that works
 */
export async function writeEndStatus(run: string, status: RunStatus): Promise<void> {
  for (const pause of [...WAITS, undefined])
    try {
      return writeStatus(run, status);
    } catch (e) {
      // Nothing to write for a run that is gone or owned by another process.
      if (!(e instanceof AuroraError && e.kind === 'disk')) throw e;
      if (overwritten(run, status)) return;
      if (pause === undefined) throw e;
      await wait(pause);
    }
}

/** In a single write, padded with blanks, so that no reader sees half of it. */
function overwritten(run: string, status: RunStatus): boolean {
  try {
    const fd = openSync(runPaths(run).status, 'r+');
    try {
      const bytes = Buffer.from(JSON.stringify(status));
      const whole = Buffer.alloc(Math.max(bytes.length + 1, fstatSync(fd).size), ' ');
      bytes.copy(whole);
      whole[whole.length - 1] = 0x0a;
      return writeSync(fd, whole, 0, whole.length, 0) === whole.length;
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}
