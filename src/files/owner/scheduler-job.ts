import type { OwnerRecord } from '../fence';

/**
 * The job of a scheduler that this process runs in, and how often the scheduler has started it again. A process with a lower
 * count has ended, or runs without the scheduler's knowledge: Slurm requeues a job, and Kubernetes replaces a pod of a job
 * with a pod failure policy, only once they believe that it has ended.
 *
 * A Slurm job keeps its id. A pod of an Indexed Job has the counts of the pods before it as annotations
 * (`batch.kubernetes.io/job-index-failure-count` and `job-index-ignored-failure-count`), and its manifest passes them on as
 * AURORA_JOB_FAILURES and AURORA_JOB_IGNORED_FAILURES, and the job's uid as AURORA_JOB.
 */
export function schedulerJob(env: NodeJS.ProcessEnv): OwnerRecord['job'] {
  const { SLURM_JOB_ID: id, SLURM_CLUSTER_NAME: cluster = '', SLURM_RESTART_COUNT: count } = env;
  if (id) return { id: `slurm:${cluster}:${id}`, restarts: number(count) };
  const { AURORA_JOB: uid, JOB_COMPLETION_INDEX: index } = env;
  if (!uid || !index) return undefined;
  const { AURORA_JOB_FAILURES: failures, AURORA_JOB_IGNORED_FAILURES: ignored } = env;
  return { id: `kubernetes:${uid}:${index}`, restarts: number(failures) + number(ignored) };
}

/** An annotation that is not there is passed on as an empty string. */
const number = (text: string | undefined): number => Number(text ?? 0) || 0;
