import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { runPaths } from '../runs/layout';
import { HEARTBEAT_MS, writeStatus } from '../runs/status';
import type { RunState } from '../shared/events';
import { CELL, type PulseData } from './pulse';

/** How often requests are looked for. */
const CONTROL_MS = 250;

const { run, cells, status, stopTimeout } = workerData as PulseData;
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

function watch(): void {
  if (take('checkpoint')) Atomics.store(cells, CELL.checkpoint, 1);
  if (take('stop')) {
    Atomics.store(cells, CELL.stop, 1);
    stopping ??= { step: -1, since: 0 };
  }
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
