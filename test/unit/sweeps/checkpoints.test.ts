import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { bringCheckpoints } from '../../../src/sweeps/checkpoints';
import type { Where } from '../../../src/sweeps/where';
import type { Cluster } from '../../../src/executors/cluster/cluster';
import type { ClusterFile } from '../../../src/protocol/run-files/cluster';
import type { TrialRecord } from '../../../src/runs/sweep/record';
import { scratchFolder } from '../../scratch';
import { SHARED_FOLDER } from '../../shared-folder';

const folder = scratchFolder('checkpoints');
const trials = [1, 2, 3, 4].map((number): TrialRecord => ({
  id: `t${number}`,
  number,
  settings: {},
  planned: true,
  run: `run${number}`,
}));
const cluster: ClusterFile = {
  ...{ version: 1, executor: 'slurm', place: 'login', at: 1, keepsCheckpoints: true },
  trials: {
    t1: { state: 'finished', job: '1_0', collected: true },
    t2: { state: 'finished', job: '1_1', collected: true },
    t3: { state: 'running', job: '1_2' },
  },
};

function request(given: string, isApart = true) {
  const brought: string[] = [];
  const collectCheckpoints = async (runs: readonly string[]) =>
    void brought.push(...runs.map((r) => basename(r)));
  const files = { ...SHARED_FOLDER, ...(isApart && { collectCheckpoints }) };
  const where: Where = { on: 'slurm', cluster: { files } as Cluster };
  return { brought, all: { folder, runs: join(folder, 'runs'), trials, where, given } };
}

const write = (file: object) => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'cluster.json'), JSON.stringify(file));
};

it('brings those of the trials that are named, or of all that have ended', async () => {
  write(cluster);
  const [some, all] = [request('2'), request('all')];
  expect([await bringCheckpoints(some.all), some.brought]).toEqual([1, ['run2']]);
  expect([await bringCheckpoints(all.all), all.brought]).toEqual([2, ['run1', 'run2']]);
});

it.each([
  ['3', 'Trial 3 has not ended and been brought here yet.'],
  ['1,3,4', 'Trials 3, 4 have not ended and been brought here yet.'],
  ['9', '--checkpoints takes "all", or numbers of trials'],
])('of trial %s it brings none, and says why', async (given, message) => {
  write(cluster);
  const { all, brought } = request(given);
  await expect(bringCheckpoints(all)).rejects.toMatchObject({
    kind: 'usage',
    message: expect.stringContaining(message) as string,
  });
  expect(brought).toEqual([]);
});

it('brings none where they are already', async () => {
  write(cluster);
  await expect(bringCheckpoints(request('all', false).all)).rejects.toThrow(
    'This folder is shared with Slurm',
  );
  await expect(bringCheckpoints({ ...request('all').all, where: { on: 'local' } })).rejects.toThrow(
    'was trained on this machine',
  );
});

it('says that nothing has ended yet', async () => {
  write({ ...cluster, trials: {} });
  await expect(bringCheckpoints(request('all').all)).rejects.toThrow('No trial of this sweep has ended');
});
