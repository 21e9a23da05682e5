import type { JobRef, Submission } from '../cluster/scheduler';

/** The name of an array in Slurm. It contains the range of its tasks, so that it can be found after a kill. */
export const jobName = ({ name, tasks }: Submission, { first, count }: Omit<JobRef, 'id'>): string =>
  count === tasks.length ? name : `${name}.${first}-${first + count - 1}`;

/** The tasks of the submission that an array of this name has; undefined if it is not one of the submission's. */
export function tasksOfName(
  { name, tasks }: Pick<Submission, 'name' | 'tasks'>,
  job: string,
): Omit<JobRef, 'id'> | undefined {
  if (job === name) return { first: 0, count: tasks.length };
  const [, first, last] = job.startsWith(`${name}.`) ? (/\.(\d+)-(\d+)$/.exec(job) ?? []) : [];
  // The submission has no other tasks, whatever the name of a job.
  if (!(Number(first) <= Number(last)) || Number(last) >= tasks.length) return undefined;
  return { first: Number(first), count: Number(last) - Number(first) + 1 };
}
