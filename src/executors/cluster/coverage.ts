import type { JobRef, Submission } from './scheduler';

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
