import { EXIT } from '../../base/errors';
import type { JobState } from '../cluster/scheduler';
import { conditionOf, interruptionsOf, restartsOf, type Pod } from './objects';

type PodState = Pick<JobState, 'state' | 'code' | 'detail' | 'exitCode'>;

/**
 * What the newest pod of an index says about its trial, as long as the job has decided nothing about the index: a pod that
 * failed will have a successor.
 */
export function podState(pod: Pod): Omit<JobState, 'log'> {
  const restarts = restartsOf(pod);
  const { nodeName } = pod.spec;
  return {
    ...stateOf(pod),
    job: pod.metadata.name,
    ...(nodeName !== undefined && { node: nodeName }),
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

/** Why the last pod of an index ended. */
export function howItEnded(pod: Pod): Omit<PodState, 'state'> {
  const { status } = pod;
  const ended = status?.containerStatuses?.[0]?.state?.terminated;
  const disruption = conditionOf(pod, 'DisruptionTarget', 'True');
  const exitCode = ended && { exitCode: ended.exitCode };
  if (disruption) return { ...words(disruption), ...exitCode };
  if (ended && ended.reason !== 'Error') return { ...words(ended), ...exitCode };
  // `Error` says only that the exit code was not 0.
  return {
    ...words({ reason: status?.reason ?? ended?.reason, message: status?.message ?? ended?.message }),
    ...exitCode,
  };
}

const isInterruption = (pod: Pod): boolean =>
  conditionOf(pod, 'DisruptionTarget', 'True') !== undefined ||
  pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode === EXIT.requeue;

function whyPending(pod: Pod): Omit<PodState, 'state'> {
  const unscheduled = conditionOf(pod, 'PodScheduled', 'False');
  return words(unscheduled ?? pod.status?.containerStatuses?.[0]?.state?.waiting ?? {});
}

const words = ({ reason, message }: { reason?: string; message?: string }) => ({
  ...(reason !== undefined && reason !== '' && { code: reason }),
  ...(message !== undefined && message !== '' && { detail: message.trim() }),
});
