import { EXIT } from '../../base/errors';
import { isWithScheduler } from '../../protocol/run-files/cluster';
import type { JobRef, JobState, Submission } from '../cluster/scheduler';
import { jobName } from './job-name';
import { parseTasks, stateOf } from './queue';

/** An array, with the name that it must have: a Slurm that has lost its state gives its number to another job. */
interface Asked extends JobRef {
  name: string;
}

/** The number of arrays that fit into a command line. */
const ARRAYS_AT_ONCE = 1000;

/** The records of Slurm's accounting, where it is on, about tasks that its controller has forgotten. */
export class Accounting {
  /** Ended tasks by job, such as `123_4`: they stay ended. */
  private readonly ended = new Map<string, Omit<JobState, 'job'>>();
  /** Jobs that it does not know either. */
  private readonly unknown = new Set<string>();

  /** @param run runs one of its commands and returns the output */
  constructor(private readonly run: (script: string) => Promise<string>) {}

  /** Adds missing states to `states`. */
  async complete(
    submissions: readonly Submission[],
    states: readonly Map<number, JobState>[],
  ): Promise<void> {
    const missing = submissions.flatMap((submission, i) =>
      submission.jobs.flatMap((ref) =>
        Array.from({ length: ref.count }, (_, k) => ({
          i,
          index: ref.first + k,
          array: { ...ref, name: jobName(submission, ref) },
          job: `${ref.id}_${k}`,
        })).filter(({ index }) => !states[i]!.has(index)),
      ),
    );
    const asked = missing.filter(({ job }) => !this.ended.has(job) && !this.unknown.has(job));
    const arrays = [...new Map(asked.map(({ array }) => [array.id, array])).values()];
    const jobs = new Set(asked.map(({ job }) => job));
    for (let at = 0; at < arrays.length; at += ARRAYS_AT_ONCE)
      await this.ask(arrays.slice(at, at + ARRAYS_AT_ONCE), jobs);
    for (const { job } of asked) if (!this.ended.has(job)) this.unknown.add(job);
    for (const { i, index, job } of missing) {
      const state = this.ended.get(job);
      if (state) states[i]!.set(index, { ...state, job });
    }
  }

  private async ask(arrays: readonly Asked[], jobs: ReadonlySet<string>): Promise<void> {
    const text = await this.run(
      `SLURM_BITSTR_LEN=0 sacct --noheader --parsable2 --allocations --format=JobID,State,ExitCode,NodeList,JobName --jobs=${arrays.map(({ id }) => id).join(',')}`,
    );
    const own = new Map(arrays.map((array) => [array.id, array]));
    const listed = new Map<string, Set<number>>();
    for (const line of text.split('\n')) {
      const [job = '', state = '', exitCode = '', node = '', name] = line.split('|');
      const [, array = '', tasks] = /^(\d+)_\[?([\d,:%-]+)\]?$/.exec(job) ?? [];
      if (tasks === undefined || own.get(array)?.name !== name) continue;
      const known = listed.get(array) ?? new Set();
      listed.set(array, known);
      const found = stateOf({
        // "CANCELLED by 1000"
        state: state.split(' ')[0]!,
        reason: '',
        node: node.startsWith('None') ? '' : node,
        restarts: 0,
        exitCode: exitCodeOf(exitCode),
      });
      for (const task of parseTasks(tasks, own.get(array)!.count)) {
        known.add(task);
        if (!isWithScheduler(found)) this.ended.set(`${array}_${task}`, found);
      }
    }
    // It has no lines for tasks of an array that were cancelled one by one before they began. Tasks that the controller
    // knows may get theirs later.
    for (const [array, known] of listed)
      for (let task = 0; task < own.get(array)!.count; task++) {
        const job = `${array}_${task}`;
        if (!known.has(task) && jobs.has(job)) this.ended.set(job, { state: 'cancelled' });
      }
  }
}

/**
 * `2:0`, of which sacct has subtracted 128 as after a signal. A trainer that the user has stopped exits with 130, and one that
 * a task starts never with 2, a mistake on the command line.
 */
function exitCodeOf(text: string): number {
  const code = Number(text.split(':')[0]) || 0;
  return code === EXIT.stopped - 128 ? EXIT.stopped : code;
}
