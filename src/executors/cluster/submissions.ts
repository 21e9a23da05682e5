import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { diskError, writeAtomic } from '../../files/atomic';
import { isEntryName } from '../../files/contained';
import { requireOwned } from '../../files/fence';
import { readJsonIfThere } from '../../files/json';
import type { TaskFile } from '../../runs/sweep/task';
import type { ClusterThere, JobRef, SubmittedTask, Submission } from './scheduler';

/** A submission as its file has it: its folder is where the file is. */
type Recorded = Omit<Submission, 'folder'> & { version: 1 };

const FILE = 'submission.json';

/** `submissions/N` of a sweep's folder, whose owner this process is. Nothing is ever lost between two of its files. */
export class Submissions {
  private last = 0;

  constructor(private readonly sweep: string) {}

  /** All of them, oldest first. Removes what a process that was killed had not yet written whole. */
  read(): Submission[] {
    const found: Submission[] = [];
    for (const number of this.numbers()) {
      this.last = number;
      const folder = this.folderOf(number);
      const path = join(folder, FILE);
      const value = readJsonIfThere(path);
      if (value === undefined) this.remove(folder);
      else found.push({ ...checkSubmission(path, value), folder });
    }
    return found;
  }

  /** The task files are on disk before the submission that names them. */
  create(tasks: readonly SubmittedTask[], files: Iterable<TaskFile>, parallel?: number): Submission {
    const number = ++this.last;
    const folder = this.folderOf(number);
    requireOwned(folder);
    try {
      mkdirSync(join(folder, 'tasks'), { recursive: true });
      mkdirSync(join(folder, 'logs'), { recursive: true });
      let i = 0;
      // Ten thousand of them: not flushed one by one. A task that a power cut has damaged is submitted again.
      for (const file of files) writeFileSync(join(folder, 'tasks', `${i++}.json`), JSON.stringify(file));
    } catch (e) {
      throw diskError(folder, e);
    }
    const nonce = randomBytes(2).toString('hex');
    const name = `aurora-${basename(this.sweep)}-${number}-${nonce}`;
    const submission: Submission = {
      ...{ name, folder, tasks, jobs: [] },
      ...(parallel !== undefined && { parallel }),
    };
    write(submission);
    return submission;
  }

  /** Records where it is about to be submitted: after a kill, it may have been, and is looked for there. */
  placed(submission: Submission, cluster: ClusterThere): Submission {
    const there = { ...submission, cluster };
    write(there);
    return there;
  }

  /** Records a job that the scheduler has. */
  submitted(submission: Submission, job: JobRef): Submission {
    const more = { ...submission, jobs: [...submission.jobs, job] };
    write(more);
    return more;
  }

  /** Records that what the scheduler does not have of it yet is not submitted any more. */
  withdrawn(submission: Submission): Submission {
    const less: Submission = { ...submission, withdrawn: true };
    write(less);
    return less;
  }

  /** For one that the scheduler does not have at all. */
  remove(folder: string): void {
    requireOwned(folder);
    rmSync(folder, { recursive: true, force: true });
  }

  private folderOf(number: number): string {
    return join(this.sweep, 'submissions', String(number));
  }

  private numbers(): number[] {
    let names: string[];
    try {
      names = readdirSync(join(this.sweep, 'submissions'));
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw e;
    }
    return names
      .filter((name) => /^[1-9]\d{0,8}$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  }
}

function write({ name, folder, tasks, parallel, jobs, withdrawn, cluster }: Submission): void {
  const more = {
    ...(parallel !== undefined && { parallel }),
    ...(withdrawn && { withdrawn }),
    ...(cluster !== undefined && { cluster }),
  };
  const recorded: Recorded = { version: 1, name, ...more, jobs, tasks };
  writeAtomic(join(folder, FILE), `${JSON.stringify(recorded)}\n`, folder);
}

function checkSubmission(path: string, value: unknown): Omit<Submission, 'folder'> {
  const { version, name, tasks, parallel, jobs, withdrawn, cluster } = (value ?? {}) as Partial<Recorded>;
  const whole =
    version === 1 &&
    typeof name === 'string' &&
    /^[a-z0-9][a-z0-9-]{0,49}$/.test(name) &&
    (cluster === undefined || isCluster(cluster)) &&
    (parallel === undefined || Number.isInteger(parallel)) &&
    Array.isArray(tasks) &&
    tasks.every(isTask) &&
    Array.isArray(jobs) &&
    jobs.every(isJob);
  if (whole)
    return {
      ...{ name, tasks, jobs },
      ...(parallel !== undefined && { parallel }),
      ...(withdrawn === true && { withdrawn }),
      ...(cluster !== undefined && { cluster }),
    };
  throw new AuroraError(
    'run',
    `${path} does not say what was submitted to the cluster.`,
    'It was changed or damaged after it was written; restore it from a copy. Without it, jobs in the queue are not known: cancel them there before you delete it.',
  );
}

const isCluster = (value: unknown): boolean => {
  const { name, context, namespace } = (value ?? {}) as Partial<ClusterThere>;
  return (
    typeof name === 'string' && [context, namespace].every((v) => v === undefined || typeof v === 'string')
  );
};

const isTask = (value: unknown): boolean => {
  const { trial, number, run, step } = (value ?? {}) as Partial<SubmittedTask>;
  return typeof trial === 'string' && Number.isInteger(number) && isEntryName(run) && Number.isInteger(step);
};

const isJob = (value: unknown): boolean => {
  const { id, first, count } = (value ?? {}) as Partial<JobRef>;
  // Part of a command.
  return (
    typeof id === 'string' &&
    /^[A-Za-z0-9][\w.-]*$/.test(id) &&
    Number.isInteger(first) &&
    Number.isInteger(count)
  );
};

/** The tasks of a submission that are in none of its jobs yet, and will be. */
export const unsubmitted = ({ tasks, jobs, withdrawn }: Submission): number =>
  withdrawn ? 0 : tasks.length - jobs.reduce((sum, { count }) => sum + count, 0);

/** Whether a task, by its index, is in one of the submission's jobs. */
export const isSubmitted = ({ jobs }: Submission, index: number): boolean =>
  jobs.some(({ first, count }) => index >= first && index < first + count);
