import { gathered } from '../../base/gathered';
import type { JobRef, JobState, Submission } from '../cluster/scheduler';
import { jobName, parseTasks, type QueueLine, stateOf } from './slurm-queue';

/** A task may be in a few lines at the moment at which it begins. */
const MOST_TIMES = 4;

/** The states of jobs' tasks in Slurm, look after look. */
export class TaskStates {
  /** Tasks that waited at the last look, by array, and when that was. */
  private waiting = new Map<string, Waiting>();
  /** The number of restarts of each task that has begun, by job, such as `123_4`. */
  private readonly begun = new Map<string, number>();

  /**
   * The states of a submission's tasks, by their index in it. Slurm forgets a waiting task at once when it is cancelled, and
   * one that has run only after `minJobAge`: one that waited a moment ago and is gone was cancelled by somebody.
   *
   * @param now monotonic, in ms
   */
  read(
    submissions: readonly Submission[],
    lines: readonly QueueLine[],
    { now, minJobAge }: { now: number; minJobAge: number },
  ): Map<number, JobState>[] {
    const byArray = gathered(lines, (line) => line.array);
    const waiting = new Map<string, Waiting>();
    const states = submissions.map((submission) => {
      const found = new Map<number, JobState>();
      for (const job of submission.jobs) {
        // A Slurm that has lost its state gives a number again, to somebody else's job.
        const own = (byArray.get(job.id) ?? []).filter(({ name }) => name === jobName(submission, job));
        const before = this.waiting.get(job.id);
        const isRecent = before !== undefined && now - before.at < minJobAge / 2;
        const tasks = tasksOf(job, own, isRecent ? before.tasks : undefined);
        const queued = [...tasks].flatMap(([i, { state }]) => (state === 'queued' ? [i] : []));
        waiting.set(job.id, { tasks: new Set(queued), at: now });
        for (const [i, state] of tasks) found.set(job.first + i, this.withRestarts(state));
      }
      return found;
    });
    this.waiting = waiting;
    return states;
  }

  /** squeue lists a requeued task in one line with those that never ran, as if it had no restarts. */
  private withRestarts(state: JobState): JobState {
    const known = this.begun.get(state.job);
    if (state.state === 'running') this.begun.set(state.job, state.restarts ?? 0);
    if (state.state !== 'queued' || known === undefined) return state;
    return { ...state, state: 'preempted', restarts: known + 1 };
  }

  /** Takes over the observations of another process. @param at monotonic, in ms */
  remember({ jobs }: Submission, waited: readonly number[], at: number): void {
    const all = new Set(waited);
    for (const { id, first, count } of jobs) {
      const own = Array.from({ length: count }, (_, i) => i).filter((i) => all.has(first + i));
      this.waiting.set(id, { tasks: new Set(own), at });
    }
  }

  /** A job that has just been submitted: its tasks wait. */
  submitted({ id, count }: JobRef, now: number): void {
    this.waiting.set(id, { tasks: new Set(Array.from({ length: count }, (_, i) => i)), at: now });
  }
}

interface Waiting {
  tasks: ReadonlySet<number>;
  at: number;
}

/** By index in the array. */
function tasksOf(
  { id, count }: JobRef,
  lines: readonly QueueLine[],
  waited: ReadonlySet<number> | undefined,
): Map<number, JobState> {
  const found = new Map<number, JobState>();
  if (lines.length === 0) return found;
  let remains = false;
  let listed = 0;
  for (const line of lines) {
    const state = stateOf(line);
    const tasks = parseTasks(line.tasks, count);
    if (tasks.length === 0 && line.state === 'CANCELLED') remains = true;
    for (const task of tasks) found.set(task, { ...state, job: `${id}_${task}` });
    // Slurm lists a task once; output that lists all of them in each of a million lines is not read to its end.
    listed += tasks.length;
    if (listed > MOST_TIMES * count) break;
  }
  for (let task = 0; task < count; task++)
    if (!found.has(task) && (remains || waited?.has(task)))
      found.set(task, { state: 'cancelled', job: `${id}_${task}` });
  return found;
}
