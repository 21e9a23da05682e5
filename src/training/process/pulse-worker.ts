import { parentPort, workerData } from 'node:worker_threads';
import { fence, stillOwned } from '../../files/fence';
import { HeldFolder } from '../../runs/held';
import { runPaths } from '../../runs/layout';
import { HEARTBEAT_MS, writeStatus } from '../../runs/status';
import type { RunState } from '../../protocol/events';
import type { Preparing } from '../../protocol/preparing';
import { Looks, CONTROL_MS, PulseWatch } from './pulse-watch';
import { CELL, type PulseData } from './pulse';
import { ResourceSampler, SAMPLE_MS } from './resource-sampler';
import { ResourcesWriter } from '../../runs/resources/resources';

const { run, cells, status, stopTimeout, lease, owned, resources } = workerData as PulseData;
// This thread writes, too.
if (owned) fence(run, { nonce: status.nonce });
// The other thread writes it to the journal.
const looks = new Looks((message) => parentPort?.postMessage(message));

const held = HeldFolder.open(run);

let preparing: Preparing | undefined;
parentPort?.on('message', (now: Preparing | undefined) => void (preparing = now));

/** A failure here must not end the run: if it matters, the trainer hits it at its next write. */
function heartbeat(state: RunState = 'running'): void {
  // The training thread stops after its step; another folder of this name does not belong to the run.
  if (held.lost() !== undefined) return;
  looks.try('The heartbeat of the run could not be written', () =>
    writeStatus(run, {
      ...status,
      state,
      step: cells[CELL.step],
      steps: cells[CELL.steps],
      heartbeat: Date.now(),
      ...(preparing && { preparing }),
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

/** Once another process owns the run, requests and status belong to it; the training thread stops at its next write. */
const whileOwned = (action: () => void) => () => {
  if (stillOwned(run)) action();
};

setInterval(
  whileOwned(() => heartbeat()),
  HEARTBEAT_MS,
);
setInterval(
  whileOwned(() => watch.look()),
  CONTROL_MS,
);

if (resources) {
  const sampler = new ResourceSampler();
  let writer: ResourcesWriter | undefined;
  const sample = () => {
    // The training thread stores the step first: where `steps` is there, the step is too, also of a resumed run.
    const steps = Atomics.load(cells, CELL.steps);
    const record = sampler.sample(Atomics.load(cells, CELL.step));
    // While data are read, the run has no steps yet, and a resumed run still has records of steps to come.
    if (steps === 0 || held.lost() !== undefined) return;
    looks.try('What the machine is used for could not be recorded', () =>
      (writer ??= new ResourcesWriter(run)).append(record),
    );
  };
  setInterval(whileOwned(sample), SAMPLE_MS);
}
