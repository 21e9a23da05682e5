import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Scheduler } from '../../../../src/executors/cluster/scheduler';
import type { ClusterFile } from '../../../../src/protocol/run-files/cluster';
import { checkCluster, clusterPath } from '../../../../src/runs/sweep/cluster-file';
import { scratchFolder } from '../../../scratch';
import { spec, sweepsIn } from './sweep-of';

const scheduler: Scheduler = {
  name: 'a scheduler',
  appearsWithin: 0,
  check: () => Promise.resolve(),
  cluster: () => Promise.resolve({ name: 'one' }),
  submit: () => Promise.resolve(),
  adopt: () => Promise.resolve(),
  states: (submissions) => Promise.resolve(submissions.map(() => new Map())),
  cancel: () => Promise.resolve(),
};

it('says how much of models and data is sent, at each percent, and not any more afterwards', async () => {
  const read = (): ClusterFile => {
    const path = clusterPath(folder);
    return checkCluster(path, JSON.parse(readFileSync(path, 'utf8')));
  };
  const seen: ClusterFile['sending'][] = [];
  const { executor, records, folder, sent } = sweepsIn(scratchFolder('sending'), {
    sendSubmission: (_folder, _specs, sending) => {
      for (const bytes of [0, 1, 500, 501, 1000]) {
        sending!({ files: 2, bytes: 1000, sent: bytes });
        seen.push(read().sending);
      }
      return Promise.resolve();
    },
  })('whole', scheduler);
  await executor.submit(
    records.map((record) => ({ record, spec })),
    await executor.follow(records),
  );
  expect(sent.map((now) => now.sent)).toEqual([0, 500, 1000]);
  expect(seen).toEqual([0, 0, 500, 500, 1000].map((now) => ({ files: 2, bytes: 1000, sent: now })));
  expect(read().sending).toBeUndefined();
});
