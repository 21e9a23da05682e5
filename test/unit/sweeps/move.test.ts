import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import { moveSweep } from '../../../src/sweeps/move';
import type { TrialView } from '../../../src/runs/sweep/look';
import { TrialNames } from '../../../src/runs/sweep/trial-names';
import { scratchFolder } from '../../scratch';
import { accepting, spec, sweepsIn } from '../executors/cluster/sweep-of';

const collected: string[] = [];
const checkpoints: string[] = [];
let isUp = true;
const home = scratchFolder('move');
const names = new TrialNames(join(home, 'runs'));
const sweepOf = sweepsIn(home, {
  collect: async (runs) => {
    if (!isUp) throw new AuroraError('network', 'The login node does not answer.');
    collected.push(...runs);
  },
  collectCheckpoints: async (runs) => void checkpoints.push(...runs),
});

it('takes a sweep from a cluster only once nothing waits there, and all that was trained is here', async () => {
  const { executor, records, submissions, folder } = sweepOf('moved', accepting('queued'));
  const tasks = records.map((record) => ({ record, spec }));
  await executor.submit(tasks, await executor.follow(records));
  const move = () => moveSweep(executor, records, 'slurm', 'local', names);
  await expect(move()).rejects.toThrow('began on Slurm, where 4 trials wait or run.');

  const stopped = records.map((record): TrialView => ({
    ...{ record, state: 'stopped', reason: 'requested', step: 3, steps: 9, evaluations: [] },
    ...(record.number < 3 && { folder: `/runs/${record.number}` }),
  }));
  Object.assign(executor, { follow: () => Promise.resolve(stopped) });
  isUp = false;
  await expect(move()).rejects.toMatchObject({
    kind: 'usage',
    message: 'This sweep began on Slurm, and what was trained there could not be brought here.',
  });
  expect(submissions()).toHaveLength(1);
  isUp = true;
  const { executor: again } = sweepOf('moved', accepting('queued'));
  await again.follow(records);
  Object.assign(again, { follow: () => Promise.resolve(stopped) });
  await moveSweep(again, records, 'slurm', 'local', names);
  expect(collected.map((run) => basename(run))).toEqual(records.map(({ run }) => run));
  // The trials need them to continue elsewhere, and nothing refers to the cluster afterwards.
  expect(checkpoints).toEqual(collected);
  expect([submissions(), existsSync(join(folder, 'cluster.json'))]).toEqual([[], false]);
  await expect(moveSweep(again, records, 'slurm', 'kubernetes', names)).rejects.toThrow(
    'began on Slurm: trials 1, 2 have begun and not ended.',
  );
});

it('brings also what was trained there and has not been seen here', async () => {
  collected.length = 0;
  const { executor, records } = sweepOf('unseen', {
    ...accepting('queued'),
    states: async (submissions) => submissions.map(() => new Map()),
  });
  await executor.submit(
    records.map((record) => ({ record, spec })),
    await executor.follow(records),
  );
  // Slurm has forgotten how they ended, and the line is too slow for the first look.
  for (let look = 0; look < 10; look++) await executor.follow(records);
  await moveSweep(executor, records, 'slurm', 'local', names);
  expect(collected.map((run) => basename(run))).toEqual(records.map(({ run }) => run));
});
