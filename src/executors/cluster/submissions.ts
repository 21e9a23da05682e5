import { randomBytes } from 'node:crypto';
import { type BigIntStats, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { diskError, writeAtomic } from '../../files/atomic';
import { isEntryName } from '../../files/contained';
import { requireOwned } from '../../files/fence';
import { readJsonIfThere } from '../../files/json';
import type { TaskFile } from '../../runs/sweep/task-file';
import type { ClusterThere, JobRef, Submission, SubmittedTask } from './scheduler';
import { appendLine, damagedSubmission, type LogLine, readLog, withLine } from './submission-log';

/** A submission that came here with a copy of its folder. */
interface CopiedSubmission {
  /** The folder of the sweep that its tasks train in. */
  original: string;
  tasks: readonly SubmittedTask[];
}

/** A submission as its file has it, which is written once: its jobs are in its log. */
type Recorded = Pick<Submission, 'name' | 'parallel' | 'tasks'> & {
  version: 1;
  /** The sweep's folder that its tasks train in. */
  sweep: FolderIdentity;
};

const FILE = 'submission.json';

/** `submissions/N` of a sweep's folder, whose owner this process is. Nothing is ever lost between two of its files. */
export class Submissions {
  private last = 0;

  constructor(private readonly sweep: string) {}

  /**
   * All of them whose trials are still the cluster's, oldest first. Removes files that a killed process had not written
   * completely.
   *
   * @returns `copied`: the tasks of those train in the folder of which this one is a copy
   */
  read(): { own: Submission[]; copied: CopiedSubmission[] } {
    const own: Submission[] = [];
    const copied: CopiedSubmission[] = [];
    for (const number of this.numbers()) {
      this.last = number;
      const folder = this.folderOf(number);
      const path = join(folder, FILE);
      const value = readJsonIfThere(path);
      if (value === undefined) {
        this.remove(folder);
        continue;
      }
      const { sweep, ...submission } = checkSubmission(path, value);
      if (!isSameFolder(this.sweep, sweep)) {
        copied.push({ original: sweep.folder, tasks: submission.tasks });
        continue;
      }
      const read = readLog({ ...submission, folder, jobs: [] });
      if (!read.left) own.push(read);
    }
    return { own, copied };
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
    const nonce = randomBytes(4).toString('hex');
    const name = `aurora-${basename(this.sweep)}-${number}-${nonce}`;
    const submission = { name, parallel, tasks };
    const recorded: Recorded = { version: 1, sweep: identityOf(this.sweep), ...submission };
    writeAtomic(join(folder, FILE), `${JSON.stringify(recorded)}\n`, folder);
    return { ...submission, folder, jobs: [] };
  }

  /** Records that from now on, the scheduler may have a job of it that is not recorded. */
  submitting(submission: Submission, cluster: ClusterThere): Submission {
    return this.add(submission, { submitting: Date.now(), cluster });
  }

  /** Records that the scheduler has no job of it that is not recorded. */
  answered(submission: Submission): Submission {
    return this.add(submission, { answered: true });
  }

  /** Records that the tasks that the scheduler does not have yet are not submitted any more. */
  withdrawn(submission: Submission): Submission {
    return submission.withdrawn ? submission : this.add(submission, { withdrawn: true });
  }

  /** Records that trials of all of them are trained elsewhere from now on. */
  leave(): void {
    for (const submission of this.read().own) this.add(submission, { left: true });
  }

  /** Records a job that the scheduler has. */
  submitted(submission: Submission, job: JobRef): Submission {
    return this.add(submission, { job, at: Date.now() });
  }

  /** Removes a submission that the scheduler does not have at all. */
  remove(folder: string): void {
    requireOwned(folder);
    rmSync(folder, { recursive: true, force: true });
  }

  private add(submission: Submission, line: LogLine): Submission {
    appendLine(submission, line);
    return withLine(submission, line);
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

function checkSubmission(path: string, value: unknown): Omit<Recorded, 'version'> {
  const { version, name, tasks, parallel, sweep } = (value ?? {}) as Partial<Recorded>;
  const whole =
    version === 1 &&
    isIdentity(sweep) &&
    typeof name === 'string' &&
    /^[a-z0-9][a-z0-9-]{0,49}$/.test(name) &&
    (parallel === undefined || Number.isInteger(parallel)) &&
    Array.isArray(tasks) &&
    tasks.every(isTask);
  if (!whole) throw damagedSubmission(path);
  return { name, sweep, tasks, parallel };
}

const isTask = (value: unknown): boolean => {
  const { trial, number, run, step } = (value ?? {}) as Partial<SubmittedTask>;
  return typeof trial === 'string' && Number.isInteger(number) && isEntryName(run) && Number.isInteger(step);
};

/** A folder as the tasks of a cluster know it, and as its file system does. */
interface FolderIdentity {
  folder: string;
  /** A copy has another one; a folder that is moved, or mounted elsewhere, keeps its own. */
  inode: string;
}

export const identityOf = (folder: string): FolderIdentity => ({
  folder,
  inode: String(statSync(folder, { bigint: true }).ino),
});

/**
 * True if the tasks that were submitted for a folder train in this one. Tasks know it by its path: any folder with this
 * path has them, also if it was restored from a copy. Under another path it is the same folder according to the file
 * system: through a link, or a mount of the same disk.
 */
export function isSameFolder(now: string, then: FolderIdentity): boolean {
  if (now === then.folder) return true;
  const here = statSync(now, { bigint: true });
  const there = seenAt(then.folder);
  return there ? there.dev === here.dev && there.ino === here.ino : String(here.ino) === then.inode;
}

/** Undefined also for a folder of somebody else, who gave away a copy. */
function seenAt(folder: string): BigIntStats | undefined {
  try {
    return statSync(folder, { bigint: true });
  } catch {
    return undefined;
  }
}

function isIdentity(value: unknown): value is FolderIdentity {
  const { folder, inode } = (value ?? {}) as Partial<FolderIdentity>;
  return typeof folder === 'string' && typeof inode === 'string';
}

/**
 * A warning for the user about a folder that is a copy, while trials of the original are trained again in it. Jobs that
 * train in the original's folder are the original's.
 *
 * @param left ids of the trials that have not finished and were not submitted here
 */
export function copiedText(
  copied: readonly CopiedSubmission[],
  left: ReadonlySet<string>,
): string | undefined {
  const theirs = copied.flatMap(({ tasks }) => tasks.map(({ trial }) => trial));
  const again = new Set(theirs.filter((trial) => left.has(trial)));
  if (again.size === 0) return undefined;
  const [trials, are] = again.size === 1 ? ['1 trial', 'is'] : [`${again.size} trials`, 'are'];
  return `This folder is a copy of ${copied.at(-1)!.original}. Jobs that were submitted there train there, and are neither followed nor canceled from here; ${trials} that had not finished when it was copied ${are} trained here separately.`;
}
