import { expect, it } from 'vitest';
import { AuroraError } from '../../../../src/base/errors';
import type { JobRef, JobState, Scheduler } from '../../../../src/executors/cluster/scheduler';
import { scratchFolder } from '../../../scratch';
import { spec, sweepsIn } from './sweep-of';

const collected: string[] = [];
const sweepOf = sweepsIn(scratchFolder('cancel'), {
  collect: async (runs) => void collected.push(...runs),
});

/** Accepts `most` tasks, all of which wait, and refuses more, as a limit of jobs does. */
class LimitedScheduler implements Scheduler {
  readonly name = 'a limited scheduler';
  appearsWithin = 0;
  /** Tasks that it has, by their index. */
  readonly tasks = new Map<number, JobState['state']>();
  /** The connection is lost after a task was accepted, and before it is known. */
  isLost = false;

  constructor(
    public most: number,
    private readonly place = 'one',
  ) {}

  check = () => Promise.resolve();
  cluster = () => Promise.resolve({ name: this.place });

  async submit(
    { tasks, jobs }: Parameters<Scheduler['submit']>[0],
    submitted: (job: JobRef) => void,
  ): Promise<void> {
    let first = jobs.reduce((sum, { count }) => sum + count, 0);
    for (; first < tasks.length; first++) {
      if (this.tasks.size >= this.most) throw new AuroraError('failed', 'No more jobs are accepted.');
      this.tasks.set(first, 'queued');
      if (this.isLost) throw new AuroraError('network', 'The connection was lost.');
      submitted({ id: String(100 + first), first, count: 1 });
    }
  }

  adopt = () => Promise.resolve();

  states(submissions: Parameters<Scheduler['states']>[0]): Promise<Map<number, JobState>[]> {
    const states = new Map([...this.tasks].map(([i, state]) => [i, { state, job: String(100 + i) }]));
    return Promise.resolve(submissions.map(() => states));
  }

  async cancel(_: unknown, tasks: readonly number[] | 'all'): Promise<void> {
    for (const i of this.tasks.keys())
      if (tasks === 'all' || tasks.includes(i)) this.tasks.set(i, 'cancelled');
  }
}

it('cancels also while a limit of jobs keeps some of them here, and submits none of those any more', async () => {
  const scheduler = new LimitedScheduler(2);
  const { executor, records, submissions } = sweepOf('limit', scheduler);
  await executor.submit(
    records.map((record) => ({ record, spec })),
    await executor.follow(records),
  );
  const waiting = await executor.follow(records);
  expect(waiting.map(({ state }) => state)).toEqual(['queued', 'queued', 'queued', 'queued']);

  await executor.cancel(waiting);
  scheduler.most = 4;
  const after = await executor.follow(records);
  expect([...scheduler.tasks.values()]).toEqual(['cancelled', 'cancelled']);
  expect(after.map(({ state }) => state)).toEqual(['stopped', 'stopped', 'waiting', 'waiting']);
  // Another process does not submit them either.
  expect(submissions()).toMatchObject([{ withdrawn: true, jobs: [{ id: '100' }, { id: '101' }] }]);
});

it('submits nothing again if the settings mean another cluster while trials wait', async () => {
  const { executor, records } = sweepOf('moved', new LimitedScheduler(4));
  await executor.submit(
    records.map((record) => ({ record, spec })),
    await executor.follow(records),
  );
  const { executor: later } = sweepOf('moved', new LimitedScheduler(4, 'another'));
  await expect(later.follow(records)).rejects.toThrow(
    'Trials of this sweep wait or run on one, and the settings now mean another.',
  );
  const { executor: same } = sweepOf('moved', new LimitedScheduler(4));
  await expect(same.follow(records)).resolves.toHaveLength(4);
});

it('submits nothing to another cluster that may have been accepted by the first one before a kill', async () => {
  const scheduler = new LimitedScheduler(4);
  scheduler.isLost = true;
  const { executor, records, submissions } = sweepOf('unknown', scheduler);
  const tasks = records.map((record) => ({ record, spec }));
  await executor.submit(tasks, await executor.follow(records));
  expect(submissions()).toMatchObject([{ jobs: [], cluster: { name: 'one' } }]);
  const { executor: later } = sweepOf('unknown', new LimitedScheduler(4, 'another'));
  await expect(later.follow(records)).rejects.toThrow('the settings now mean another.');
});

it('brings what a trial has trained before, if what was submitted for it since is withdrawn', async () => {
  const scheduler = new LimitedScheduler(4);
  const { executor, records } = sweepOf('earlier', scheduler);
  const tasks = records.map((record) => ({ record, spec }));
  await executor.submit(tasks, await executor.follow(records));
  for (const i of scheduler.tasks.keys()) scheduler.tasks.set(i, 'finished');
  const trained = (await executor.follow(records)).map((view) => ({ ...view, folder: view.record.id }));
  scheduler.most = 8;
  scheduler.isLost = true;
  await executor.submit(tasks, trained);
  await executor.cancel(trained);
  await executor.follow(records);
  await executor.collect(trained);
  expect(collected).toEqual(['t1', 't2', 't3', 't4']);
});
