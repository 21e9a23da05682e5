import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AuroraError } from '../../../../src/base/errors';
import type { JobRef, JobState, Scheduler, Submission } from '../../../../src/executors/cluster/scheduler';
import { scratchFolder } from '../../../scratch';
import { spec, sweepsIn } from './sweep-of';

const sweepOf = sweepsIn(scratchFolder('lost-answer'));

interface Job extends JobRef {
  name: string;
  state: JobState['state'];
}

/** Loses the answer to a submission: its job is there only when it has arrived. */
class SlowScheduler implements Scheduler {
  readonly name = 'a slow scheduler';
  readonly jobs: Job[] = [];
  private readonly underway: Job[] = [];
  loses = true;
  submissions = 0;
  /** Called when a job is accepted. */
  accepted: (submission: Submission) => void = () => undefined;

  constructor(public appearsWithin: number) {}

  check = () => Promise.resolve();
  cluster = () => Promise.resolve({ name: 'one' });

  arrive(): void {
    this.jobs.push(...this.underway.splice(0));
  }

  async submit(submission: Submission, submitted: (job: JobRef) => void): Promise<void> {
    const { name, tasks } = submission;
    const job: Job = { id: String(++this.submissions), first: 0, count: tasks.length, name, state: 'queued' };
    if (this.loses) {
      this.underway.push(job);
      throw new AuroraError('network', 'The connection was lost.');
    }
    this.jobs.push(job);
    this.accepted(submission);
    submitted(refOf(job));
  }

  async adopt({ name, jobs }: Submission, submitted: (job: JobRef) => void): Promise<void> {
    for (const job of this.jobs)
      if (job.name === name && !jobs.some(({ id }) => id === job.id)) submitted(refOf(job));
  }

  async states(submissions: readonly Submission[]): Promise<Map<number, JobState>[]> {
    return submissions.map(({ tasks, jobs }) => {
      const job = this.jobs.find(({ id }) => jobs[0]?.id === id);
      return new Map(job ? tasks.map((_, i) => [i, { state: job.state, job: `${job.id}_${i}` }]) : []);
    });
  }

  async cancel({ jobs }: Submission): Promise<void> {
    for (const job of this.jobs) if (jobs.some(({ id }) => id === job.id)) job.state = 'cancelled';
  }
}

const refOf = ({ id, first, count }: Job): JobRef => ({ id, first, count });

const HOUR = 3_600_000;

async function submitted(name: string, scheduler: SlowScheduler) {
  const sweep = sweepOf(name, scheduler);
  const { executor, records } = sweep;
  await executor.submit(
    records.map((record) => ({ record, spec })),
    await executor.follow(records),
  );
  return sweep;
}

const statesOf = async ({ executor, records }: ReturnType<typeof sweepOf>) =>
  (await executor.follow(records)).map(({ state }) => state);
const ALL = (state: string) => Array<string>(4).fill(state);

it('does not submit again what may still arrive, in whichever process, and follows it then', async () => {
  const scheduler = new SlowScheduler(HOUR);
  const sweep = await submitted('late', scheduler);
  scheduler.loses = false;
  expect(await statesOf(sweep)).toEqual(ALL('queued'));
  const later = sweepOf('late', scheduler);
  expect(await statesOf(later)).toEqual(ALL('queued'));
  expect(scheduler.submissions).toBe(1);
  scheduler.arrive();
  expect(await statesOf(later)).toEqual(ALL('queued'));
  expect(later.submissions()).toMatchObject([{ jobs: [{ id: '1', first: 0, count: 4 }] }]);
  expect(scheduler.submissions).toBe(1);
});

it('submits again what cannot arrive any more', async () => {
  const scheduler = new SlowScheduler(0);
  const sweep = await submitted('never', scheduler);
  scheduler.loses = false;
  expect(await statesOf(sweep)).toEqual(ALL('queued'));
  expect(sweep.submissions()).toMatchObject([{ jobs: [{ id: '2' }] }]);
});

it('cancels what arrives after it was cancelled, and waits until nothing can', async () => {
  const scheduler = new SlowScheduler(HOUR);
  const sweep = await submitted('cancelled', scheduler);
  const { executor, records } = sweep;
  await executor.cancel(await executor.follow(records));
  expect(await statesOf(sweep)).toEqual(ALL('queued'));
  scheduler.arrive();
  // Another process, also if somebody has edited the settings.
  const later = sweepOf('cancelled', scheduler);
  await later.executor.cancel(await later.executor.follow(records));
  expect(await statesOf(later)).toEqual(ALL('stopped'));
  expect(scheduler.jobs).toMatchObject([{ id: '1', state: 'cancelled' }]);

  const never = await submitted('nothing', new SlowScheduler(HOUR));
  await never.executor.cancel(await never.executor.follow(records));
  const after = sweepOf('nothing', new SlowScheduler(0));
  expect(await statesOf(after)).toEqual(ALL('waiting'));
});

it('keeps a job that a full disk does not let it record', async () => {
  const scheduler = new SlowScheduler(HOUR);
  scheduler.loses = false;
  // Nothing can be appended.
  scheduler.accepted = ({ folder }) => {
    renameSync(join(folder, 'jobs.jsonl'), join(folder, 'kept'));
    mkdirSync(join(folder, 'jobs.jsonl'));
  };
  await submitted('disk', scheduler);
  const { folder } = sweepOf('disk', scheduler);
  const submission = join(folder, 'submissions', '1');
  rmSync(join(submission, 'jobs.jsonl'), { recursive: true });
  renameSync(join(submission, 'kept'), join(submission, 'jobs.jsonl'));
  const later = sweepOf('disk', scheduler);
  expect(await statesOf(later)).toEqual(ALL('queued'));
  expect(later.submissions()).toMatchObject([{ jobs: [{ id: '1' }] }]);
  expect(scheduler.submissions).toBe(1);
});
