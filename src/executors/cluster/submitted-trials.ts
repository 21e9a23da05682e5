import { AuroraError, EXIT } from '../../base/errors';
import type { ClusterTrial } from '../../protocol/run-files/cluster';
import type { TrialView } from '../../runs/sweep/look';
import type { JobRef, Scheduler, Submission, SubmittedTask } from './scheduler';

/** A submission, whose list of jobs grows. */
export interface Entry {
  submission: Submission;
}

/** The last task that was submitted for a trial. Its earlier ones have ended. */
export interface Current {
  entry: Entry;
  index: number;
  /** The scheduler's last state of it. */
  job?: ClusterTrial;
  /** The run's folder at the last look. */
  seen?: TrialView;
  /** Looks since the scheduler does not have it any more. */
  gone: number;
  /** It is neither queued nor running, for the scheduler as for the folder. */
  done: boolean;
  /** This process has submitted it: the scheduler may take a moment to show it. */
  isNew?: boolean;
  /** The time when this process began to cancel it, in ms of a monotonic clock. */
  cancelled?: number;
  /** The trial's task before, which counts again if this one is never submitted. */
  before?: Current;
}

/** Maps each trial to its task, among all submissions of a sweep. */
export class SubmittedTrials {
  private readonly entries = new Set<Entry>();
  private readonly current = new Map<string, Current>();

  of(trial: string): Current | undefined {
    return this.current.get(trial);
  }

  add(entry: Entry): void {
    this.entries.add(entry);
    const { submission } = entry;
    submission.tasks.forEach(({ trial }, index) => {
      if (isGivenUp(submission) && !isSubmitted(submission, index)) return;
      const before = this.current.get(trial);
      // Its folder would be looked at again.
      if (before) delete before.seen;
      this.current.set(trial, { entry, index, gone: 0, done: false, before });
    });
  }

  /** Removes an entry that was never submitted. */
  remove(entry: Entry): void {
    this.entries.delete(entry);
    this.forget(this.currentOf(entry));
  }

  /** Forgets the tasks of a withdrawn submission that were never submitted. */
  withdraw(entry: Entry): void {
    this.forget(this.currentOf(entry).filter(({ index }) => !isSubmitted(entry.submission, index)));
  }

  currentOf(entry: Entry): Current[] {
    return entry.submission.tasks.flatMap(({ trial }) => {
      const current = this.current.get(trial);
      return current?.entry === entry ? [current] : [];
    });
  }

  /** Submissions with a task that may still wait or run. */
  unfinished(): Entry[] {
    return [...this.entries].filter((entry) => this.liveIn(entry) > 0);
  }

  /** Unfinished submissions that the scheduler has, or may have. */
  live(): Entry[] {
    return this.unfinished().filter(
      ({ submission }) => submission.jobs.length > 0 || isUncertain(submission),
    );
  }

  /**
   * The number of tasks that a new submission may run at a time beside the existing ones; undefined if there is no
   * limit.
   */
  room(parallel: number | undefined): number | undefined {
    if (parallel === undefined) return undefined;
    const used = this.unfinished().map((entry) =>
      Math.min(entry.submission.parallel ?? Infinity, this.liveIn(entry)),
    );
    return Math.max(0, parallel - used.reduce((sum, n) => sum + n, 0));
  }

  private forget(all: readonly Current[]): void {
    for (const { entry, index, before } of all) {
      const { trial } = entry.submission.tasks[index]!;
      if (before) this.current.set(trial, before);
      else this.current.delete(trial);
    }
  }

  private liveIn(entry: Entry): number {
    return this.currentOf(entry).filter(({ done }) => !done).length;
  }
}

/** Exit codes of a trainer that would end the same way again, from before it had a folder to report it in. */
const HOPELESS: readonly number[] = [EXIT.usage, EXIT.experiment, EXIT.model, EXIT.data, EXIT.inputs];

/**
 * A trial's state from its run folder and from the scheduler's state of its task. A scheduler knows which tasks wait,
 * run or were killed; only the folder shows the training, and a disk that nodes share may show it late.
 *
 * @param view by the run's folder
 * @param job undefined if the scheduler does not know the task, or not any more
 * @param settled true if a folder without an end will not get one any more: enough time has passed since
 */
export function trialState(
  view: TrialView,
  task: SubmittedTask,
  job: ClusterTrial | undefined,
  settled: boolean,
): TrialView {
  const as = (state: TrialView['state'], more: Partial<TrialView> = {}): TrialView => ({
    ...view,
    reason: undefined,
    error: undefined,
    state,
    ...more,
    // A scheduler may still see the end of a task that has finished, and does not know what the task has lost.
    ...(job && { cluster: { ...job, ...((state === 'lost' || state === 'finished') && { state }) } }),
  });
  if (view.state === 'finished') return as('finished');
  if (job?.state === 'queued' || job?.state === 'preempted') return as('queued');
  // By its heartbeat; a scheduler that has lost its own state may not know a task that runs.
  if (view.state === 'running' || view.state === 'starting') return as(view.state);
  if (job?.state === 'running') return as('starting');
  if (hasEnded(view, task, job, settled)) return as(view.state, { reason: view.reason, error: view.error });
  // This includes a trial that saved when somebody cancelled its job: it must not be started again then.
  if (job?.state === 'cancelled') return as('stopped', { reason: 'requested' });
  if (!settled) return as(view.step > 0 ? 'running' : 'queued');
  // It saved, and nothing has started it again.
  if (view.state === 'stopped' && view.reason === 'preempted') return as('stopped', { reason: 'preempted' });
  if (view.folder === undefined && job?.exitCode !== undefined && HOPELESS.includes(job.exitCode))
    return as('failed', {
      error: {
        message: job.detail ?? `It ended before its first step, with exit code ${job.exitCode}.`,
        hint: job.log === undefined ? undefined : `See its log, ${job.log}.`,
      },
    });
  return as('lost');
}

/** True if the folder shows how this very task ended, rather than an earlier one of the trial. */
function hasEnded(
  view: TrialView,
  { step }: SubmittedTask,
  job: ClusterTrial | undefined,
  settled: boolean,
): boolean {
  // A disk that shows late what a successful retry has written still shows the failure before.
  if (view.state === 'failed') return settled || job?.state !== 'finished';
  // A task that was preempted waits to be started again.
  if (view.state !== 'stopped' || view.reason === 'preempted') return false;
  if (view.step > step || view.reason === 'pruned') return true;
  // Ended by the user at the step at which it was submitted, or left so by a task that never began.
  return view.reason !== 'rung' && (!job || job.exitCode === EXIT.stopped);
}

/** Nobody continues it while this process decides about the sweep: its folder need not be read again. */
export const isFinal = ({ state, reason }: TrialView): boolean =>
  state === 'finished' || (state === 'stopped' && reason === 'pruned');

/** The tasks of each list of jobs, which is never changed: ten thousand tasks may be in as many jobs. */
const known = new WeakMap<readonly JobRef[], ReadonlySet<number>>();

function tasksOf(jobs: readonly JobRef[]): ReadonlySet<number> {
  let tasks = known.get(jobs);
  if (tasks) return tasks;
  tasks = new Set(jobs.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i)));
  known.set(jobs, tasks);
  return tasks;
}

/** True if a task, by its index, is in one of the submission's jobs. */
export const isSubmitted = ({ jobs }: Submission, index: number): boolean => tasksOf(jobs).has(index);

/** The tasks of a submission that are in none of its jobs yet, and will be. */
export const unsubmitted = ({ tasks, jobs, withdrawn }: Submission): number =>
  withdrawn ? 0 : tasks.length - tasksOf(jobs).size;

/** True if the scheduler may have, or may yet get, a job of the submission that is not recorded. */
export const isUncertain = ({ tasks, jobs, submitting }: Submission): boolean =>
  submitting !== undefined && tasksOf(jobs).size < tasks.length;

/** True if nothing more of it is submitted, and its tasks that are in no job never will be. */
export const isGivenUp = (submission: Submission): boolean =>
  submission.withdrawn === true && !isUncertain(submission);

/** The contiguous tasks of a submission that are in none of its jobs. */
export function gaps({ tasks, jobs }: Pick<Submission, 'tasks' | 'jobs'>): Omit<JobRef, 'id'>[] {
  const there = tasksOf(jobs);
  const found: { first: number; count: number }[] = [];
  for (let first = 0; first < tasks.length; first++) {
    if (there.has(first)) continue;
    const last = found.at(-1);
    if (last && last.first + last.count === first) last.count++;
    else found.push({ first, count: 1 });
  }
  return found;
}

/**
 * Another cluster knows none of the jobs, which would then count as lost, and be submitted and trained twice.
 *
 * @param live submissions that may have jobs which wait or run
 * @returns false if there are none, and any cluster will do
 * @throws AuroraError 'usage' if the settings mean another one than when they were submitted
 */
export async function requireSameCluster(scheduler: Scheduler, live: readonly Entry[]): Promise<boolean> {
  const places = live.flatMap(({ submission }) => submission.cluster ?? []);
  if (places.length === 0) return false;
  const now = await scheduler.cluster();
  const other = places.find(({ name }) => name !== now.name);
  if (!other) return true;
  throw new AuroraError(
    'usage',
    `Trials of this sweep wait or run on ${other.name}, and the settings now mean ${now.name}.`,
    'Restore the cluster section (host, folder, context, namespace) and let them end, or cancel them with --cancel all; then change it.',
  );
}
