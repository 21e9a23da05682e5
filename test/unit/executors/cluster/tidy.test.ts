import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AuroraError } from '../../../../src/base/errors';
import { scratchFolder } from '../../../scratch';
import { accepting, spec, sweepsIn } from './sweep-of';

const removed: string[] = [];
let isUp = true;
const sweepOf = sweepsIn(scratchFolder('tidy'), {
  removeThere: async (path) => {
    if (!isUp) throw new AuroraError('network', 'The cluster does not answer.');
    removed.push(path);
  },
});

it('removes what trials shared on the cluster, unless nothing has happened there, and needs no answer', async () => {
  const { executor, records, folder, warnings } = sweepOf('shared', accepting('running'));
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
