import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { fence, stillOwned } from '../files/fence';
import { runPaths } from '../runs/layout';
import { HEARTBEAT_MS, writeStatus } from '../runs/status';
import type { RunState } from '../shared/events';
import { CELL, STOP, type PulseData } from './pulse';

/** How often requests are looked for. */
const CONTROL_MS = 250;

const { run, cells, status, stopTimeout, lease, owned } = workerData as PulseData;
// This thread writes, too.
if (owned) fence(run, { nonce: status.nonce });
const control = runPaths(run).control;
let stopping: { step: number; since: number } | undefined;

function heartbeat(state: RunState = 'running'): void {
  // A run that was moved away must not come back as a folder with a heartbeat.
  if (!existsSync(run)) return;
  try {
    writeStatus(run, {
      ...status,
      state,
      step: cells[CELL.step],
      steps: cells[CELL.steps],
      heartbeat: Date.now(),
    });
  } catch {
    // A full disk must not end the run from here: the trainer meets it at its next write and says so.
  }
}

/** Whether there is a request; it is consumed. */
function take(name: string): boolean {
  const file = join(control, name);
  if (!existsSync(file)) return false;
  rmSync(file, { force: true });
  return true;
}

function stop(reason: keyof typeof STOP): void {
  Atomics.compareExchange(cells, CELL.stop, 0, STOP[reason]);
  stopping ??= { step: -1, since: 0 };
}

/** The lease as it was last seen, and for how long it has not changed since; a run begins with a whole one. */
let renewal: number | undefined;
let unchanged = 0;
let lookedAt = Date.now();

/**
 * Whether the lease has run out. Time is counted in looks: the file's clock may be another machine's, and
 * a machine that slept must not lose its runs when it wakes.
 */
function leaseIsOver(): boolean {
  if (lease === undefined) return false;
  const now = Date.now();
  unchanged += Math.max(0, Math.min(now - lookedAt, 4 * CONTROL_MS));
  lookedAt = now;
  const seen = statSync(join(control, 'lease'), { throwIfNoEntry: false })?.mtimeMs;
  if (seen !== undefined && seen !== renewal) {
    renewal = seen;
    unchanged = 0;
  }
  return unchanged > lease;
}

function watch(): void {
  // A request is another process's by then, and the training thread stops at its next write.
  if (!stillOwned(run)) return;
  if (take('checkpoint')) Atomics.store(cells, CELL.checkpoint, 1);
  if (take('stop')) stop('requested');
  if (leaseIsOver()) stop('window-closed');
  if (!stopping) return;
  const step = Atomics.load(cells, CELL.step);
  if (stopping.step !== step) stopping = { step, since: Date.now() };
  if (Date.now() - stopping.since > stopTimeout) {
    heartbeat('stopped');
    process.kill(process.pid, 'SIGKILL');
  }
}

setInterval(() => heartbeat(), HEARTBEAT_MS);
setInterval(watch, CONTROL_MS);
