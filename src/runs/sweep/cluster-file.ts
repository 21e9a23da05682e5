import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { readJsonIfThere } from '../../files/json';
import type { ClusterFile, ClusterTrial, ClusterTrialState } from '../../protocol/run-files/cluster';
import type { ShownState } from '../outcome';

const CLUSTER_VERSION = 1;

/** cluster.json of a sweep's folder. */
export const clusterPath = (sweep: string): string => join(sweep, 'cluster.json');

const STATES: readonly string[] = [
  'queued',
  'running',
  'preempted',
  'finished',
  'failed',
  'cancelled',
  'lost',
] satisfies ClusterTrialState[];

/**
 * The content of a sweep's cluster.json; undefined without one.
 *
 * @throws AuroraError as `checkCluster`
 */
export function readCluster(sweep: string): ClusterFile | undefined {
  const path = clusterPath(sweep);
  const value = readJsonIfThere(path);
  return value === undefined ? undefined : checkCluster(path, value);
}

/**
 * The value of a cluster.json. Trials that it describes in a way that this version does not know are left out.
 *
 * @throws AuroraError 'run' if it is of another version or damaged
 */
export function checkCluster(path: string, value: unknown): ClusterFile {
  const file = value as Partial<ClusterFile> | null;
  const { executor, place, at, trials } = file ?? {};
  if (
    file?.version !== CLUSTER_VERSION ||
    (executor !== 'slurm' && executor !== 'kubernetes') ||
    typeof place !== 'string' ||
    typeof at !== 'number' ||
    typeof trials !== 'object' ||
    trials === null
  )
    throw new AuroraError(
      'run',
      `${path} is not the state of a cluster of this version.`,
      'Delete it; whoever follows the sweep writes it again.',
    );
  const { unreachable, sending } = file;
  const isKnown = typeof unreachable?.since === 'number' && typeof unreachable.message === 'string';
  const { files, bytes, sent } = sending ?? {};
  const isSending = [files, bytes, sent].every(Number.isFinite);
  const kept = Object.entries(trials).filter(([, trial]) => isTrial(trial));
  return {
    version: CLUSTER_VERSION,
    executor,
    place,
    at,
    ...(file.keepsCheckpoints === true && { keepsCheckpoints: true }),
    ...(isKnown && { unreachable }),
    ...(isSending && { sending: { files: files!, bytes: bytes!, sent: sent! } }),
    // No name of a file leads to a prototype.
    trials: Object.fromEntries(kept),
  };
}

function isTrial(value: Partial<ClusterTrial> | null): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    STATES.includes(String(value.state)) &&
    typeof value.job === 'string' &&
    [value.code, value.detail, value.node, value.log].every(
      (v) => v === undefined || typeof v === 'string',
    ) &&
    (value.lost === undefined || typeof (value.lost as Partial<typeof value.lost> | null)?.times === 'number')
  );
}

/**
 * States that are final in a trial's journal; otherwise the scheduler knows better than a late heartbeat whether it
 * lives.
 */
const FINAL: readonly ShownState[] = ['finished', 'damaged'];

/**
 * The displayed state of a run that a cluster trains.
 *
 * @param own according to the run's folder, which may come from another machine with a delay
 * @param reason why it was stopped, according to its journal
 * @param trial the scheduler's last state of it
 */
export function shownOnCluster(own: ShownState, reason: string | undefined, trial: ClusterTrial): ShownState {
  if (FINAL.includes(own)) return own;
  switch (trial.state) {
    case 'queued':
    case 'preempted':
      // It may have been started since the scheduler was asked.
      return own === 'running' ? own : 'queued';
    case 'running':
      if (own === 'lost') return 'running';
      return own === 'stopped' && reason === 'preempted' ? 'queued' : own;
    case 'lost':
      return own === 'stopped' || own === 'failed' ? own : 'lost';
    case 'failed':
      return own === 'stopped' ? own : 'failed';
    case 'cancelled':
      return own === 'failed' ? own : 'stopped';
    case 'finished':
      return own;
  }
}
