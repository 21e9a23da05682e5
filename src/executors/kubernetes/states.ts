import { EXIT } from '../../base/errors';
import type { JobState } from '../cluster/scheduler';
import { conditionOf, indexesIn, indexOf, JOB_NAME, restartsOf, type Job, type Pod } from './objects';
import { howItEnded, podState } from './pod-state';

/** The most indexes that Kubernetes gives a job with a limit for each index. */
const MOST_INDEXES = 100_000;

/**
 * The reason why a trial has no pod yet: the job may have as many at a time as `parallelism`. Not a code of
 * Kubernetes'.
 */
export const WAITS_ITS_TURN = 'JobParallelism';

/** The newest pod of each index, by job. */
export function newestPods(pods: readonly Pod[]): Map<string, Map<number, Pod>> {
  const jobs = new Map<string, Map<number, Pod>>();
  for (const pod of pods) {
    const job = pod.metadata.labels?.[JOB_NAME];
    const index = indexOf(pod);
    if (job === undefined || index === undefined) continue;
    const known = jobs.get(job) ?? new Map<number, Pod>();
    const other = known.get(index);
    if (!other || order(pod) > order(other)) known.set(index, pod);
    jobs.set(job, known);
  }
  return jobs;
}

/** Pods of an index follow one another; times have only seconds. */
const order = (pod: Pod): number => restartsOf(pod) * 1e14 + Date.parse(pod.metadata.creationTimestamp ?? '');

/**
 * @param pods the newest pod of each index; those that succeeded may be missing
 * @param most the number of tasks that it was submitted with, whatever the answer says
 * @returns the state of each of the job's tasks
 */
export function jobStates(
  job: Job,
  pods: ReadonlyMap<number, Pod> = new Map(),
  most = MOST_INDEXES,
): Map<number, JobState> {
  const states = new Map<number, JobState>();
  const count = Math.min(job.spec.completions ?? 0, most);
  const finished = indexesIn(job.status?.completedIndexes, count);
  const failed = indexesIn(job.status?.failedIndexes, count);
  for (let i = 0; i < count; i++) {
    const pod = pods.get(i);
    const named = { job: pod?.metadata.name ?? `${job.metadata.name}-${i}` };
    if (finished.has(i)) states.set(i, { ...named, state: 'finished' });
    else if (failed.has(i)) states.set(i, { ...named, ...(pod && placeOf(pod)), ...failure(pod) });
    else states.set(i, pod ? { ...podState(pod), ...whenOver(job) } : { ...named, ...withoutPod(job) });
  }
  return states;
}

const placeOf = (pod: Pod) => ({
  node: pod.spec.nodeName,
  ...(restartsOf(pod) > 0 && { restarts: restartsOf(pod) }),
});

function failure(pod: Pod | undefined): Pick<JobState, 'state'> & Partial<JobState> {
  const ended = pod && howItEnded(pod);
  // A stop that was asked for is a failure to Kubernetes, too.
  return { ...ended, state: ended?.exitCode === EXIT.stopped ? 'cancelled' : 'failed' };
}

function withoutPod(job: Job): Pick<JobState, 'state'> & Partial<JobState> {
  const over = whenOver(job);
  if ('state' in over) return over;
  if (job.spec.suspend) return { state: 'queued', code: 'Suspended' };
  return { state: 'queued', code: WAITS_ITS_TURN };
}

/** A job that is over starts no more pods; one that is being deleted ends those that it has. */
function whenOver(job: Job): Pick<JobState, 'state' | 'code' | 'detail'> | Record<never, never> {
  if (job.metadata.deletionTimestamp !== undefined) return { state: 'cancelled' };
  const failed = conditionOf(job, 'Failed', 'True');
  if (!failed) return {};
  const { reason, message } = failed;
  return { state: 'lost', ...(reason && { code: reason }), ...(message && { detail: message }) };
}
