import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'vitest';
import { owning } from '../../../src/cli/owning';
import type { DeviceRequest } from '../../../src/engine/devices';
import { CPU } from '../../../src/engine/place';
import { loadExperiment } from '../../../src/runs/experiment/load';
import { createRun, runPaths } from '../../../src/runs/layout';
import type { TrainListener } from '../../../src/training/run/open-run';
import { train } from '../../../src/training/run/train';
import type { Lab } from '../../cli/lab';

const cpu: DeviceRequest = { ...CPU, fallBack: false, given: { engine: true, device: true } };
/** Nobody looks on. */
const listener = new Proxy({} as TrainListener, { get: () => () => {} });

/** Trains an experiment in this process, and returns the finished run's folder. */
export async function trainHere(lab: Lab, experiment: object): Promise<string> {
  lab.write('tiny.aurora.json', JSON.stringify(experiment));
  const spec = loadExperiment(lab.experiment);
  const run = createRun(lab.path('runs'));
  writeFileSync(runPaths(run).spec, JSON.stringify(spec));
  const programs = {
    pulseWorker: resolve('dist/pulse-worker.cjs'),
    hashWorker: resolve('dist/hash-worker.cjs'),
    program: resolve('dist/cli.cjs'),
  };
  const options = { spec, run, resume: false, device: cpu, threads: 1, lease: false, pauseAt: undefined };
  const outcome = await owning({ folder: run, what: 'run', takeOver: false }, () =>
    train({ ...options, ...programs, listener, interrupted: () => undefined }),
  );
  expect(outcome.end).toBe('finished');
  return run;
}
