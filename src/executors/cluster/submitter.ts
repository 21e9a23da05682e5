import { AuroraError } from '../../base/errors';
import { requireOwned } from '../../files/fence';
import { isUncertain, unsubmitted } from './coverage';
import { inputsKey } from './create-submission';
import type { SweepTrials } from '../executor';
import type { Cluster } from './cluster';
import type { Sending } from './files';
import type { JobRef } from './scheduler';
import type { Submissions } from './submissions';
import type { Entry } from './submitted-trials';

/** Submits each task once to a scheduler whose answers may be lost. */
export class Submitter {
  private checked = false;

  constructor(
    private readonly sweep: Pick<SweepTrials, 'folder' | 'specs'>,
    private readonly cluster: Pick<Cluster, 'files' | 'scheduler'>,
    private readonly submissions: Submissions,
    private readonly sending: (now: Sending | undefined) => void,
  ) {}

  async check(): Promise<void> {
    if (this.checked) return;
    await this.cluster.scheduler.check();
    this.checked = true;
  }

  /**
   * Submits the rest of a submission, unless an earlier answer is still out; also after a kill at any moment of this.
   */
  async complete(entry: Entry): Promise<void> {
    const { specs, folder } = this.sweep;
    const { files, scheduler } = this.cluster;
    if (!(await this.settle(entry)) || unsubmitted(entry.submission) === 0) return;
    await this.check();
    await files.sendTrainer();
    const { submission } = entry;
    const own = submission.tasks.flatMap(({ trial }) => specs.get(trial) ?? []);
    const distinct = new Map(own.map((spec) => [inputsKey(spec), spec]));
    try {
      await files.sendSubmission(submission.folder, [...distinct.values()], this.sending);
    } finally {
      this.sending(undefined);
    }
    const cluster = await scheduler.cluster();
    // Another process may have taken over while models were sent.
    requireOwned(folder);
    entry.submission = this.submissions.submitting(submission, cluster);
    try {
      await scheduler.submit(entry.submission, (job) => this.accepted(entry, job));
    } catch (e) {
      if (isRefusal(e)) entry.submission = this.submissions.answered(entry.submission);
      throw e;
    }
  }

  /**
   * Finds the scheduler's jobs of a submission whose answer was lost, with a connection or with a process.
   *
   * @returns true if that is all: a job may appear after the search
   */
  async settle(entry: Entry): Promise<boolean> {
    if (!isUncertain(entry.submission)) return true;
    const { scheduler } = this.cluster;
    const { jobs, submitting } = entry.submission;
    await scheduler.adopt(entry.submission, (job) => this.accepted(entry, job));
    // No more than one was submitted without an answer.
    const isFound = entry.submission.jobs.length > jobs.length;
    // Another machine's clock may have written the time.
    const isOver = Math.abs(Date.now() - submitting!) >= scheduler.appearsWithin;
    if (!isFound && !isOver) return false;
    entry.submission = this.submissions.answered(entry.submission);
    return true;
  }

  /** From now on, nothing more of it is submitted. */
  withdraw(entry: Entry): Promise<boolean> {
    entry.submission = this.submissions.withdrawn(entry.submission);
    return this.settle(entry);
  }

  private accepted(entry: Entry, job: JobRef): void {
    const { submission } = entry;
    // Known to this process also if the disk is full.
    entry.submission = { ...submission, jobs: [...submission.jobs, job] };
    entry.submission = this.submissions.submitted(submission, job);
  }
}

/** True if the scheduler has answered. An error of a disk, or a mistake of ours, does not show that. */
const isRefusal = (e: unknown): boolean =>
  e instanceof AuroraError && !['network', 'disk', 'owned'].includes(e.kind);
