import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { StatusFile } from '../../../../src/executors/cluster/status-file';
import { readJson } from '../../../../src/files/json';
import type { ClusterFile, ClusterTrial } from '../../../../src/protocol/run-files/cluster';
import { checkCluster, clusterPath } from '../../../../src/runs/sweep/cluster-file';
import { temporaryFolders } from '../../runs/folder';

const folder = temporaryFolders();
const sweepFolder = (): string => {
  const sweep = join(folder(), 'sweep');
  mkdirSync(sweep);
  return sweep;
};
const file = (trial: ClusterTrial): ClusterFile => ({
  ...{ version: 1, executor: 'slurm', place: '', at: 1 },
  trials: { t1: trial },
});
const written = (sweep: string): ClusterTrial => {
  const path = clusterPath(sweep);
  return checkCluster(path, readJson(path)).trials.t1!;
};
const at = (step: number) => new Map([['t1', step]]);
const lostAt = (job: string, code: string): ClusterTrial => ({ state: 'lost', job, code, node: 'n1' });

it('a loss stays in cluster.json after the trial was submitted again, and is counted once', () => {
  const sweep = sweepFolder();
  const status = new StatusFile(sweep);
  status.write(file(lostAt('1_0', 'NODE_FAIL')), at(0));
  status.write(file(lostAt('1_0', 'NODE_FAIL')), at(0));
  status.write(file({ state: 'queued', job: '2_0', code: 'Priority' }), at(0));
  expect(written(sweep)).toMatchObject({
    state: 'queued',
    code: 'Priority',
    lost: { times: 1, code: 'NODE_FAIL', node: 'n1' },
  });
});

it('the process that continues counts on', () => {
  const sweep = sweepFolder();
  new StatusFile(sweep).write(file(lostAt('1_0', 'NODE_FAIL')), at(0));
  const next = new StatusFile(sweep);
  expect(next.read().get('t1')).toMatchObject({ state: 'lost' });
  next.write(file(lostAt('1_0', 'NODE_FAIL')), at(0));
  expect(written(sweep).lost).toMatchObject({ times: 1 });
  next.write(file({ state: 'running', job: '2_0' }), at(0));
  const third = new StatusFile(sweep);
  third.read();
  third.write(file(lostAt('2_0', 'TIMEOUT')), at(0));
  expect(written(sweep).lost).toMatchObject({ times: 2, code: 'TIMEOUT' });
});

it('losses in a row are counted until a step was completed', () => {
  const sweep = sweepFolder();
  const inVain = (job: string, step: number) => {
    const status = new StatusFile(sweep);
    status.read();
    status.write(file(lostAt(job, 'NODE_FAIL')), at(step));
    return written(sweep).lost;
  };
  expect([inVain('1_0', 4), inVain('2_0', 4)]).toMatchObject([
    { times: 1, inVain: { step: 4, times: 1 } },
    { times: 2, inVain: { step: 4, times: 2 } },
  ]);
  expect(inVain('3_0', 5)).toMatchObject({ times: 3, inVain: { step: 5, times: 1 } });
});
