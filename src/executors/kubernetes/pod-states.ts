import { EXIT } from '../../base/errors';
import type { JobState } from '../cluster/scheduler';
import { CONTAINER } from './container';
import {
  conditionOf,
  indexesIn,
  indexOf,
  interruptionsOf,
  type Job,
  JOB_NAME,
  type Pod,
  restartsOf,
} from './pods';

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

type PodState = Pick<JobState, 'state' | 'code' | 'detail' | 'exitCode'>;

/**
 * The state of a trial according to the newest pod of its index, as long as the job has decided nothing about the
 * index: a pod that failed will have a successor.
 */
export function podState(pod: Pod): Omit<JobState, 'log'> {
  const restarts = restartsOf(pod);
  const { nodeName } = pod.spec;
  return {
    ...stateOf(pod),
    job: pod.metadata.name,
    node: nodeName,
    ...(restarts > 0 && { restarts }),
  };
}

function stateOf(pod: Pod): PodState {
  switch (pod.status?.phase) {
    case 'Succeeded':
      return { state: 'finished' };
    case 'Failed': {
      const ended = howItEnded(pod);
      return { ...ended, state: isInterruption(pod) ? 'preempted' : 'queued' };
    }
    case 'Running':
    case 'Unknown': {
      const disruption = conditionOf(pod, 'DisruptionTarget', 'True');
      return { state: 'running', ...(disruption && words(disruption)) };
    }
    default:
      // It saved, and waits to be started again.
      return { state: interruptionsOf(pod) > 0 ? 'preempted' : 'queued', ...whyPending(pod) };
  }
}

/** The reason why the last pod of an index ended. */
function howItEnded(pod: Pod): Omit<PodState, 'state'> {
  const { status } = pod;
  const ended = trainerOf(pod)?.terminated;
  const exitCode = ended && { exitCode: ended.exitCode };
  const disruption = conditionOf(pod, 'DisruptionTarget', 'True');
  if (disruption) return { ...words(disruption), ...exitCode };
  // It saved, and the code is the whole reason.
  if (ended?.exitCode === EXIT.requeue) return { ...exitCode };
  if (ended && ended.reason !== 'Error') return { ...words(ended), ...exitCode };
  // `Error` means only that the exit code was not 0. If the trainer did not end, a step before it failed.
  const before = status?.initContainerStatuses?.find(({ state }) => state?.terminated?.exitCode)?.state;
  const last = ended ?? before?.terminated;
  return {
    ...words({ reason: status?.reason ?? last?.reason, message: status?.message ?? last?.message }),
    ...exitCode,
  };
}

const trainerOf = ({ status }: Pod) =>
  status?.containerStatuses?.find(({ name }) => name === CONTAINER)?.state;

const isInterruption = (pod: Pod): boolean =>
  conditionOf(pod, 'DisruptionTarget', 'True') !== undefined ||
  trainerOf(pod)?.terminated?.exitCode === EXIT.requeue;

/** The reasons that every container has while others are not ready. */
const AS_USUAL: readonly (string | undefined)[] = ['PodInitializing', 'ContainerCreating'];

function whyPending(pod: Pod): Omit<PodState, 'state'> {
  const unscheduled = conditionOf(pod, 'PodScheduled', 'False');
  if (unscheduled) return words(unscheduled);
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const waiting = [...initContainerStatuses, ...containerStatuses].flatMap(
    ({ state }) => state?.waiting ?? [],
  );
  return words(waiting.find(({ reason }) => !AS_USUAL.includes(reason)) ?? waiting[0] ?? {});
}

const words = ({ reason, message }: { reason?: string; message?: string }) => ({
  code: reason || undefined,
  detail: message?.trim() || undefined,
});
