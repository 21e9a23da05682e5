import { cpSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { identityOf, isSameFolder } from '../../../../src/executors/cluster/submissions';
import type { JobRef, JobState, Scheduler, Submission } from '../../../../src/executors/cluster/scheduler';
import { scratchFolder } from '../../../scratch';
import { spec, sweepsIn } from './sweep-of';

const home = scratchFolder('copied-folder');
const sweepOf = sweepsIn(home);

/** Everything waits in it. */
class Waiting implements Scheduler {
  readonly name = 'a full cluster';
  readonly appearsWithin = 0;
  readonly names: string[] = [];
  readonly cancelled: string[] = [];

  check = () => Promise.resolve();
  cluster = () => Promise.resolve({ name: 'one' });
  adopt = () => Promise.resolve();

  async submit({ name, tasks }: Submission, submitted: (job: JobRef) => void): Promise<void> {
    this.names.push(name);
    submitted({ id: String(this.names.length), first: 0, count: tasks.length });
  }

  async states(submissions: readonly Submission[]): Promise<Map<number, JobState>[]> {
    return submissions.map(
      ({ tasks }) => new Map(tasks.map((_, i) => [i, { state: 'queued', job: String(i) }])),
    );
  }

  async cancel({ name }: Submission): Promise<void> {
    this.cancelled.push(name);
  }
}

async function submitAll({ executor, records }: ReturnType<typeof sweepOf>): Promise<string[]> {
  const trials = await executor.follow(records);
  const tasks = trials.filter(({ state }) => state === 'waiting').map(({ record }) => ({ record, spec }));
  if (tasks.length > 0) await executor.submit(tasks, trials);
  return trials.map(({ state }) => state);
}

it('leaves the jobs of the original to it in a copy, says so once, and submits the trials for the copy', async () => {
  const cluster = new Waiting();
  const original = sweepOf('original', cluster);
  await submitAll(original);
  cpSync(dirname(original.folder), join(home, 'copy'), { recursive: true });

  const copy = sweepOf('copy', cluster);
  expect(await submitAll(copy)).toEqual(Array(4).fill('waiting'));
  expect(copy.warnings).toEqual([
    expect.stringMatching(
      new RegExp(
        `^This folder is a copy of ${original.folder}\\. .* 4 trials .* are trained here separately`,
      ),
    ),
  ]);
  expect(new Set(cluster.names).size).toBe(2);
  await copy.executor.cancel(await copy.executor.follow(copy.records));
  expect(cluster.cancelled).toEqual([cluster.names[1]]);

  const later = sweepOf('copy', cluster);
  await later.executor.follow(later.records);
  expect([later.warnings, cluster.names.length]).toEqual([[], 2]);
});

it('follows its jobs in a folder that was moved, or is reached by another path', async () => {
  const cluster = new Waiting();
  const before = sweepOf('moved', cluster);
  await submitAll(before);
  symlinkSync(join(home, 'moved'), join(home, 'linked'), 'dir');
  const linked = sweepOf('linked', cluster);
  expect([await submitAll(linked), linked.warnings]).toEqual([Array(4).fill('queued'), []]);
  renameSync(join(home, 'moved'), join(home, 'elsewhere'));
  const after = sweepOf('elsewhere', cluster);
  expect([await submitAll(after), after.warnings]).toEqual([Array(4).fill('queued'), []]);
  expect(cluster.names).toHaveLength(1);
});

it('knows a folder by its path first, which the jobs know', () => {
  const [one, two] = ['first', 'second'].map((name) => join(home, name));
  for (const folder of [one, two]) mkdirSync(folder);
  const identity = identityOf(one);
  expect([one, two].map((folder) => isSameFolder(folder, identity))).toEqual([true, false]);
  // Restored from a copy, while the damaged one was kept.
  renameSync(one, join(home, 'damaged'));
  renameSync(two, one);
  expect([one, join(home, 'damaged')].map((folder) => isSameFolder(folder, identity))).toEqual([true, false]);
});

it('reads a copy of a folder that this user may not look at', () => {
  const copy = join(home, 'readable');
  mkdirSync(copy);
  const { inode } = identityOf(copy);
  // A loop of links is an error for every user, as a closed folder is for all but root.
  const closed = join(home, 'closed');
  symlinkSync(closed, closed);
  const folder = join(closed, 'sweep');
  expect(['0', inode].map((one) => isSameFolder(copy, { folder, inode: one }))).toEqual([false, true]);
});
