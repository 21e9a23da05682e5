import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { runPaths } from '../runs/layout';
import { HEARTBEAT_MS, writeStatus } from '../runs/status';
import type { RunState } from '../shared/events';
import { CELL, type PulseData } from './pulse';

/** How often requests are looked for. */
const CONTROL_MS = 250;
/** After a request to stop, the step in hand may take so long; then it is taken to hang, and the process is killed. */
const STOP_TIMEOUT_MS = 60_000;

const { run, cells, status } = workerData as PulseData;
const control = runPaths(run).control;
let stopAskedAt: number | undefined;

function heartbeat(state: RunState = 'running'): void {
  try {
    writeStatus(run, { ...status, state, step: cells[CELL.step], steps: cells[CELL.steps], heartbeat: Date.now() });
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

function watch(): void {
  if (take('checkpoint')) Atomics.store(cells, CELL.checkpoint, 1);
  if (take('stop')) {
    Atomics.store(cells, CELL.stop, 1);
    stopAskedAt ??= Date.now();
  }
  if (stopAskedAt !== undefined && Date.now() - stopAskedAt > STOP_TIMEOUT_MS) {
    heartbeat('stopped');
    process.kill(process.pid, 'SIGKILL');
  }
}

setInterval(() => heartbeat(), HEARTBEAT_MS);
setInterval(watch, CONTROL_MS);
