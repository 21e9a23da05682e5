import type { RunPageState } from '../../protocol/panels/run';
import { isActive } from '../../runs/outcome';
import type { RunEntry } from './store';

export { isActive };

/** True if it trains on this machine, as far as is known: not on a cluster. */
export const isActiveHere = ({ state, cluster }: Pick<RunEntry, 'state' | 'cluster'>): boolean =>
  isActive(state) && cluster === undefined;

/** True if a cluster's scheduler has it: it would create the run again if its folder were gone. */
export const isOnCluster = ({ state, cluster }: Pick<RunEntry, 'state' | 'cluster'>): boolean =>
  cluster !== undefined && (isActive(state) || state === 'queued');

/**
 * True if the cluster that trained it, which shares no folder, has kept checkpoints of it. They may have come since.
 */
export const keepsCheckpoints = ({ run, cluster }: Pick<RunEntry, 'run' | 'cluster'>): boolean =>
  cluster?.keepsCheckpoints === true &&
  cluster.collected === true &&
  run?.events.some((e) => e.kind === 'checkpoint') === true;

/**
 * True if it can be resumed. A run that failed before its first step would only fail again: its settings are fixed, and
 * there is nothing to continue.
 */
export const isResumable = ({ state, run }: { state: RunPageState; run?: RunEntry['run'] }): boolean =>
  run !== undefined && (state === 'stopped' || state === 'lost' || (state === 'failed' && isBegun(run)));

/**
 * True if it can only be started again from the beginning: it failed or was lost and cannot be resumed. Its
 * experiment's file has its settings, unlike that of a trial or a fork.
 */
export const canRunAgain = ({
  state,
  run,
  trial,
}: {
  state: RunPageState;
  run?: RunEntry['run'];
  trial?: RunEntry['trial'];
}): boolean =>
  (state === 'failed' || state === 'lost') &&
  !isResumable({ state, run }) &&
  trial === undefined &&
  run?.events.some((e) => e.kind === 'forked') !== true;

/** A resumed run that fails before its first step still has a checkpoint or an imported adapter. */
const isBegun = ({ status, events }: NonNullable<RunEntry['run']>): boolean =>
  (status?.step ?? 0) > 0 || events.some((e) => e.kind === 'checkpoint' || e.kind === 'imported');
