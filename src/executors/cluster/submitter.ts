import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import { withPaths } from '../../experiment/paths';
import { requireOwned } from '../../files/fence';
import type { InputFile } from '../../runs/input-file';
import { reserveRunId } from '../../runs/layout';
import { runOf, sweepPaths, type TrialRecord } from '../../runs/sweep/record';
import { TASK_VERSION, type TaskFile } from '../../runs/sweep/task-file';
import { isInTrash } from '../../runs/trash';
import type { SweepTrials, TrialTask } from '../executor';
import type { Cluster, ClusterFiles, Sending } from './cluster';
import type { JobRef, Submission } from './scheduler';
import type { Submissions } from './submissions';
import { type Entry, isUncertain, unsubmitted } from './submitted-trials';

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

/**
 * Writes the submission of these tasks for a scheduler, and before that the names of their runs into the sweep's
 * record.
 *
 * @param steps at which the trials are, by id
 * @throws AuroraError 'inputs' if files have changed since earlier trials were trained on them
 */
export async function createSubmission(
  submissions: Submissions,
  sweep: SweepTrials,
  files: ClusterFiles,
  tasks: readonly TrialTask[],
  steps: ReadonlyMap<string, number>,
  parallel: number | undefined,
): Promise<Submission> {
  const { runs, save, inputs } = sweep;
  const read = new Map<string, InputFile[]>();
  for (const { record, spec } of tasks) {
    const key = inputsKey(spec);
    if (!read.has(key)) read.set(key, await inputs(record, spec));
  }
  for (const { record } of tasks) reserveRun(record, runs);
  save();
  const written = function* (): Generator<TaskFile> {
    for (const task of tasks) {
      const own = read.get(inputsKey(task.spec))!;
      const run = runOf(task.record, runs)!;
      yield taskFile(task, sweep, { run, inputs: own }, (path) => files.there(path));
    }
  };
  const listed = tasks.map(({ record: { id, number, run } }) => ({
    ...{ trial: id, number, run: run!, step: steps.get(id) ?? 0 },
  }));
  return submissions.create(listed, written(), parallel);
}

/** Trials that read the same files have the same. */
const inputsKey = ({ model, data }: Experiment): string => JSON.stringify([model, data]);

/**
 * The file that describes a task's work, with all paths as they are on the cluster.
 *
 * @param run the run's folder here
 * @param inputs the files that it reads here
 * @param there returns the path there of a path here
 */
function taskFile(
  { record, spec, until }: TrialTask,
  { folder, room: { threads, engine, device }, fallBack, acceptInputs }: SweepTrials,
  { run, inputs }: { run: string; inputs: readonly InputFile[] },
  there: (path: string) => string,
): TaskFile {
  return {
    version: TASK_VERSION,
    run: there(run),
    ...{ sweep: basename(folder), trial: record.id, number: record.number, settings: record.settings },
    spec: withPaths(spec, there) satisfies Experiment,
    inputs: inputs.map((file) => inputThere(file, there)),
    until,
    ...{ threads, engine, device },
    ...(fallBack && { fallBack }),
    ...(acceptInputs && { acceptInputs }),
    frozen: there(sweepPaths(folder).frozen),
  };
}

/** A copy of the file has another identity, and the same bytes. */
function inputThere(file: InputFile, there: (path: string) => string): InputFile {
  const { identity, path, pattern, images, ...rest } = file;
  const moved = there(path);
  const own = moved === path ? images : images && { ...images, identity: undefined };
  return {
    ...{ ...rest, path: moved },
    pattern: pattern && there(pattern),
    ...(moved === path && identity && { identity }),
    images: own,
  };
}

/**
 * Names the run of a trial, whose folder its task creates. A trial keeps the name, whatever has become of a job: two
 * tasks of the same trial must meet in one folder. A deleted run's name is not reused, since that run may be restored.
 *
 * @param runs the folder of the experiment's runs
 */
function reserveRun(record: TrialRecord, runs: string): void {
  const run = record.run === undefined ? undefined : join(runs, record.run);
  if (run !== undefined && (existsSync(run) || !isInTrash(run))) return;
  record.run = reserveRunId(runs);
}
