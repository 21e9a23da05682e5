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
const lostAt = (job: string, code: string): ClusterTrial => ({ state: 'lost', job, code, node: 'n1' });

it('a loss stays in cluster.json after the trial was submitted again, and is counted once', () => {
  const sweep = sweepFolder();
  const status = new StatusFile(sweep);
  status.write(file(lostAt('1_0', 'NODE_FAIL')));
  status.write(file(lostAt('1_0', 'NODE_FAIL')));
  status.write(file({ state: 'queued', job: '2_0', code: 'Priority' }));
  expect(written(sweep)).toMatchObject({
    state: 'queued',
    code: 'Priority',
    lost: { times: 1, code: 'NODE_FAIL', node: 'n1' },
  });
});

it('the process that continues counts on', () => {
  const sweep = sweepFolder();
  new StatusFile(sweep).write(file(lostAt('1_0', 'NODE_FAIL')));
  const next = new StatusFile(sweep);
  expect(next.read().get('t1')).toMatchObject({ state: 'lost' });
  next.write(file(lostAt('1_0', 'NODE_FAIL')));
  expect(written(sweep).lost).toMatchObject({ times: 1 });
  next.write(file({ state: 'running', job: '2_0' }));
  const third = new StatusFile(sweep);
  third.read();
  third.write(file(lostAt('2_0', 'TIMEOUT')));
  expect(written(sweep).lost).toMatchObject({ times: 2, code: 'TIMEOUT' });
});
