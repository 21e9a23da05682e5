import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterFiles, Sending } from '../../../../src/executors/cluster/cluster';
import { ClusterExecutor } from '../../../../src/executors/cluster/cluster-executor';
import type { JobState, Scheduler } from '../../../../src/executors/cluster/scheduler';
import { Submissions } from '../../../../src/executors/cluster/submissions';
import type { Experiment } from '../../../../src/experiment/experiment';
import { TrialLooker } from '../../../../src/runs/sweep/look';
import type { TrialRecord } from '../../../../src/runs/sweep/record';
import { SHARED_FOLDER } from '../../../shared-folder';

export const spec = { model: 'm', data: {} } as unknown as Experiment;

/** Accepts everything as one job, of which all tasks have the same state. */
export const accepting = (state: JobState['state']): Scheduler => ({
  ...{ name: 'a cluster', appearsWithin: 0 },
  check: () => Promise.resolve(),
  cluster: () => Promise.resolve({ name: 'one' }),
  adopt: () => Promise.resolve(),
  submit: async ({ tasks }, submitted) => submitted({ id: '1', first: 0, count: tasks.length }),
  states: async ([{ tasks }]) => [new Map(tasks.map((_, i) => [i, { state, job: `1_${i}` }]))],
  cancel: () => Promise.resolve(),
});

/** Sweeps of four trials in a folder, each as a process sees it. */
export const sweepsIn =
  (home: string, own: Partial<ClusterFiles> = {}) =>
  (name: string, scheduler: Scheduler) => {
    const folder = join(home, name, '1f0c9a42');
    mkdirSync(folder, { recursive: true });
    const records = [1, 2, 3, 4].map((number): TrialRecord => ({
      id: `t${number}`,
      number,
      settings: {},
      planned: true,
    }));
    const warnings: string[] = [];
    const sent: Sending[] = [];
    const executor = new ClusterExecutor(
      {
        ...{ folder, runs: join(home, name, 'runs'), specs: new Map(), looker: new TrialLooker() },
        room: { parallel: 4, threads: 1, engine: 'onnxruntime', device: 'cpu' },
        ...{ fallBack: false, acceptInputs: false, save: () => undefined },
        inputs: () => Promise.resolve([]),
      },
      { place: '', scheduler, files: { ...SHARED_FOLDER, ...own } },
      {
        ...{ executor: 'slurm', interval: 0, once: false, submitsNothing: false },
        warn: (message) => void warnings.push(message),
        sending: (now) => void sent.push(now),
      },
    );
    return {
      executor,
      records,
      folder,
      warnings,
      sent,
      submissions: () => new Submissions(folder).read().own,
    };
  };
