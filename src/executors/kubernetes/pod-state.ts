import { EXIT } from '../../base/errors';
import type { JobState } from '../cluster/scheduler';
import { CONTAINER } from './container';
import { conditionOf, interruptionsOf, restartsOf, type Pod } from './objects';

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
export function howItEnded(pod: Pod): Omit<PodState, 'state'> {
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
