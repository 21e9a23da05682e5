import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AuroraError } from '../../../../src/base/errors';
import type { JobState, Scheduler } from '../../../../src/executors/cluster/scheduler';
import { scratchFolder } from '../../../scratch';
import { spec, sweepsIn } from './sweep-of';

const removed: string[] = [];
let isUp = true;
const sweepOf = sweepsIn(scratchFolder('tidy'), {
  removeThere: async (path) => {
    if (!isUp) throw new AuroraError('network', 'The cluster does not answer.');
    removed.push(path);
  },
});

const scheduler: Scheduler = {
  ...{ name: 'a cluster', appearsWithin: 0 },
  check: () => Promise.resolve(),
  cluster: () => Promise.resolve({ name: 'one' }),
  adopt: () => Promise.resolve(),
  submit: async ({ tasks }, submitted) => submitted({ id: '1', first: 0, count: tasks.length }),
  states: async ([{ tasks }]) => [
    new Map(tasks.map((_, i) => [i, { state: 'running', job: `1_${i}` } satisfies JobState])),
  ],
  cancel: () => Promise.resolve(),
};

it('removes what trials shared on the cluster, unless nothing has happened there, and needs no answer', async () => {
  const { executor, records, folder, warnings } = sweepOf('shared', scheduler);
  const trials = await executor.follow(records);
  await executor.tidy();
  expect(removed).toEqual([]);
  await executor.submit(
    records.map((record) => ({ record, spec })),
    trials,
  );
  isUp = false;
  await executor.tidy();
  expect(warnings).toEqual([expect.stringContaining('was left there')]);
  isUp = true;
  await executor.tidy();
  expect(removed).toEqual([join(folder, 'frozen')]);
});
