import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { diskError, writeAll } from '../../files/atomic';
import { requireOwned } from '../../files/fence';
import { flushFolder } from '../../files/folder';
import { readIfThereSync } from '../../files/read';
import type { ClusterThere, JobRef, Submission } from './scheduler';

/** A line of `jobs.jsonl`: an event of a submission. Ten thousand jobs are as many lines. */
export type LogLine =
  /** From then on (ms since 1970), the scheduler may have a job of it that is not recorded. */
  | { submitting: number; cluster: ClusterThere }
  /** It has this job; the next one is submitted at once. */
  | { job: JobRef; at: number }
  /** It has no job that is not recorded. */
  | { answered: true }
  | { withdrawn: true }
  /** Its trials are trained elsewhere from then on. */
  | { left: true };

const FILE = 'jobs.jsonl';
const NEWLINE = 10;

/** The submission after all lines of its log. A last line that a crash left unfinished is removed. */
export function readLog(submission: Submission): Submission {
  const path = join(submission.folder, FILE);
  const bytes = readIfThereSync(path);
  if (!bytes) return submission;
  const whole = bytes.lastIndexOf(NEWLINE) + 1;
  if (whole < bytes.length) cut(path, whole);
  const lines = bytes.subarray(0, whole).toString('utf8').split('\n').slice(0, -1);
  const jobs: JobRef[] = [];
  const read = lines.reduce((before, text): Submission => {
    const line = parseLine(path, text, submission.tasks.length);
    if ('job' in line) jobs.push(line.job);
    return withState(before, line);
  }, submission);
  return { ...read, jobs };
}

/** The submission after one more line. */
export const withLine = (submission: Submission, line: LogLine): Submission => ({
  ...withState(submission, line),
  jobs: 'job' in line ? [...submission.jobs, line.job] : submission.jobs,
});

/** It is on disk when this returns. */
export function appendLine({ folder }: Pick<Submission, 'folder'>, line: LogLine): void {
  const path = join(folder, FILE);
  requireOwned(path);
  try {
    const fd = openSync(path, 'a');
    const { size } = fstatSync(fd);
    try {
      writeAll(fd, Buffer.from(`${JSON.stringify(line)}\n`));
      fsyncSync(fd);
    } catch (e) {
      // The part of the line that a full disk accepted must not precede the next line.
      ftruncateSync(fd, size);
      throw e;
    } finally {
      closeSync(fd);
    }
    if (size === 0) flushFolder(folder);
  } catch (e) {
    throw diskError(path, e);
  }
}

function cut(path: string, size: number): void {
  requireOwned(path);
  try {
    truncateSync(path, size);
  } catch (e) {
    throw diskError(path, e);
  }
}

function withState(submission: Submission, line: LogLine): Submission {
  const { submitting, ...rest } = submission;
  if ('submitting' in line) return { ...rest, submitting: line.submitting, cluster: line.cluster };
  if ('job' in line) return { ...rest, submitting: line.at };
  if ('answered' in line) return rest;
  if ('left' in line) return { ...rest, left: true };
  return { ...rest, submitting, withdrawn: true };
}

/** @param most the number of the submission's tasks */
function parseLine(path: string, text: string, most: number): LogLine {
  let line: Partial<Record<string, unknown>> = {};
  try {
    line = (JSON.parse(text) ?? {}) as typeof line;
  } catch {
    // Reported below.
  }
  const { submitting, cluster, job, at, answered, withdrawn, left } = line;
  const isKnown =
    (typeof submitting === 'number' && isCluster(cluster)) ||
    (isJob(job, most) && typeof at === 'number') ||
    answered === true ||
    withdrawn === true ||
    left === true;
  if (!isKnown) throw damagedSubmission(path);
  return line as LogLine;
}

const isCluster = (value: unknown): boolean => {
  const { name, context, namespace } = (value ?? {}) as Partial<ClusterThere>;
  return (
    typeof name === 'string' && [context, namespace].every((v) => v === undefined || typeof v === 'string')
  );
};

const isJob = (value: unknown, most: number): boolean => {
  const { id, first = -1, count = 0 } = (value ?? {}) as Partial<JobRef>;
  const isPart = Number.isInteger(first) && Number.isInteger(count) && first >= 0 && count >= 1;
  // The id is part of a command.
  return typeof id === 'string' && /^[A-Za-z0-9][\w.-]*$/.test(id) && isPart && first + count <= most;
};

export const damagedSubmission = (path: string): AuroraError =>
  new AuroraError(
    'run',
    `${path} does not say what was submitted to the cluster.`,
    'It was changed or damaged after it was written; restore it from a copy. Without it, jobs in the queue are not known: cancel them there before you delete it.',
  );
