import type { JobState } from '../cluster/scheduler';
import type { Kubectl } from './kubectl';
import { itemsOf } from './object-shapes';
import { WAITS_ITS_TURN } from './pod-states';
import type { Event, Job, Pod } from './pods';

/** A volume is mounted, and an image is there, within a minute; or an event states why not. */
const SOON_MS = 60_000;
/** Jobs try to create pods at least this often, and report each failure. */
const RECENT_MS = 15 * 60_000;

/** The newest warning about an object, if there is one, and if it can be asked for. */
export type AskWarning = (kind: 'Job' | 'Pod', name: string) => Promise<Event | undefined>;

/**
 * Adds the reasons that only events have: that a job can create no pods (a quota, a service account that does not exist),
 * and that a pod's volume or sandbox cannot be made.
 */
export async function explainWaiting(
  ask: AskWarning,
  job: Job,
  pods: ReadonlyMap<number, Pod> | undefined,
  states: Map<number, JobState>,
  now = Date.now(),
): Promise<Map<number, JobState>> {
  const isLate = ({ creationTimestamp = '' }: Job['metadata']) =>
    now - Date.parse(creationTimestamp) > SOON_MS;
  const turn = [...states].filter(([, { code }]) => code === WAITS_ITS_TURN);
  const { active = 0, terminating = 0 } = job.status ?? {};
  const hasRoom = active + terminating < (job.spec.parallelism ?? 1);
  if (turn.length > 0 && hasRoom && isLate(job.metadata)) {
    const event = await ask('Job', job.metadata.name);
    const isNow = event?.reason === 'FailedCreate' && now - Date.parse(event.lastTimestamp ?? '') < RECENT_MS;
    if (isNow) for (const [index, state] of turn) states.set(index, { ...state, ...words(event) });
  }
  for (const [index, state] of states) {
    const pod = pods?.get(index);
    if (state.code !== 'ContainerCreating' || !pod || !isLate(pod.metadata)) continue;
    const event = await ask('Pod', pod.metadata.name);
    if (event) states.set(index, { ...state, ...words(event) });
  }
  return states;
}

export const words = ({ reason, message }: Event): Pick<JobState, 'code' | 'detail'> => ({
  ...(reason && { code: reason }),
  ...(message && { detail: message.trim() }),
});

export const askWarning =
  (kubectl: Kubectl): AskWarning =>
  async (kind, name) => {
    const about = `involvedObject.kind=${kind},involvedObject.name=${name},type=Warning`;
    const list = kubectl.json(['get', 'events', `--field-selector=${about}`]);
    // Only an explanation: the state is known without it.
    const events = await list.then((answer) => itemsOf(kubectl.name, 'events', answer).items).catch(() => []);
    return events.reduce<Event | undefined>(
      (a, b) => (a && (a.lastTimestamp ?? '') > (b.lastTimestamp ?? '') ? a : b),
      undefined,
    );
  };

/** Each question is a call of kubectl, and pods that wait wait for the same thing, mostly. */
export function atMost(times: number, ask: AskWarning): AskWarning {
  let left = times;
  return async (kind, name) => (left-- > 0 ? ask(kind, name) : undefined);
}
