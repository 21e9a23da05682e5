import { parentPort, workerData } from 'node:worker_threads';
import { runPaths } from '../runs/layout';
import { HEARTBEAT_MS, writeStatus } from '../runs/status';
import type { RunState } from '../shared/events';
import { Looks } from './looks';
import { CELL, type PulseData } from './pulse';
import { CONTROL_MS, PulseWatch } from './pulse-watch';

const { run, cells, status, stopTimeout, lease } = workerData as PulseData;
// The other thread puts it into the journal.
const looks = new Looks((message) => parentPort?.postMessage(message));

/** A failure must not end the run from here: where it matters, the trainer meets it at its next write. */
function heartbeat(state: RunState = 'running'): void {
  looks.try('The heartbeat of the run could not be written', () =>
    writeStatus(run, {
      ...status,
      state,
      step: cells[CELL.step],
      steps: cells[CELL.steps],
      heartbeat: Date.now(),
    }),
  );
}

const watch = new PulseWatch({
  control: runPaths(run).control,
  cells,
  stopTimeout,
  lease,
  looks,
  kill() {
    heartbeat('stopped');
    process.kill(process.pid, 'SIGKILL');
  },
});

setInterval(() => heartbeat(), HEARTBEAT_MS);
setInterval(() => watch.look(), CONTROL_MS);
