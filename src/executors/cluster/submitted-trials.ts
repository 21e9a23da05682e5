import type { ClusterTrial } from '../../protocol/run-files/cluster';
import type { TrialView } from '../../runs/sweep/look';
import type { Submission } from './scheduler';
import { isGivenUp, isSubmitted, isUncertain } from './coverage';

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
