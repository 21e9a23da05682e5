import type { JobState } from '../cluster/scheduler';
import { WAITS_ITS_TURN } from './states';
import type { Kubectl } from './kubectl';
import type { Event, Job, Pod } from './objects';

/** A volume is mounted, and an image is there, within a minute; or an event says why not. */
const SOON_MS = 60_000;
/** Pods that wait wait for the same thing, mostly: each question is a call of kubectl. */
const MOST_PODS = 3;

/**
 * Adds the reasons that only events have: that a job can create no pods (a quota, a service account that does not exist),
 * and that a pod's volume or sandbox cannot be made.
 */
export async function explainWaiting(
  kubectl: Kubectl,
  job: Job,
  pods: ReadonlyMap<number, Pod> | undefined,
  states: Map<number, JobState>,
  now = Date.now(),
): Promise<Map<number, JobState>> {
  const late = ({ creationTimestamp = '' }: Job['metadata']) => now - Date.parse(creationTimestamp) > SOON_MS;
  const turn = [...states].filter(([, { code }]) => code === WAITS_ITS_TURN);
  if (turn.length > 0 && !pods?.size && !job.status?.active && late(job.metadata)) {
    const event = await lastWarning(kubectl, 'Job', job.metadata.name);
    if (event) for (const [index, state] of turn) states.set(index, { ...state, ...event });
  }
  const stuck = [...states].flatMap(([index, state]) => {
    const pod = pods?.get(index);
    return state.code === 'ContainerCreating' && pod && late(pod.metadata) ? [{ index, state, pod }] : [];
  });
  for (const { index, state, pod } of stuck.slice(0, MOST_PODS)) {
    const event = await lastWarning(kubectl, 'Pod', pod.metadata.name);
    if (event) states.set(index, { ...state, ...event });
  }
  return states;
}

/** The newest warning about an object; nothing if there is none, or if it cannot be asked for. */
export async function lastWarning(
  kubectl: Kubectl,
  kind: string,
  name: string,
): Promise<Pick<JobState, 'code' | 'detail'>> {
  const about = `involvedObject.kind=${kind},involvedObject.name=${name},type=Warning`;
  const list = await kubectl.json(['get', 'events', `--field-selector=${about}`]).catch(() => undefined);
  const events = (list as { items?: Event[] } | undefined)?.items ?? [];
  const last = events.reduce<Event | undefined>(
    (a, b) => (a && (a.lastTimestamp ?? '') > (b.lastTimestamp ?? '') ? a : b),
    undefined,
  );
  return {
    ...(last?.reason && { code: last.reason }),
    ...(last?.message && { detail: last.message.trim() }),
  };
}
