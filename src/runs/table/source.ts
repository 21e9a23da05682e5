import type { RunSource, TableState } from '../../study/runs-table/fields';
import { hasDiverged } from '../outcome';
import type { RunSummary } from '../read';
import type { ShownState } from '../shown-state';
import type { RunUser } from '../user';

/** The facts that a table has about a run whose folder was read, even if `run` could not be. */
export interface ReadRun {
  folder: string;
  id: string;
  /** Its number in the experiment, if it has one. */
  number?: number;
  name: string;
  /** The experiment's display name. */
  experiment: string;
  state: ShownState;
  run?: RunSummary;
  user: RunUser;
}

export function runSource({ run, state, ...named }: ReadRun): RunSource {
  return {
    ...named,
    state: tableState(state, run),
    ...(run && { spec: run.spec, events: run.events, status: run.status }),
  };
}

/** A failed run may have diverged, and a sweep may have stopped one that lost to others. */
function tableState(state: ShownState, run: RunSummary | undefined): TableState {
  if (!run) return state;
  if (state === 'failed' && hasDiverged(run)) return 'diverged';
  const isPruned =
    state === 'stopped' && run.events.findLast((e) => e.kind === 'stopped')?.reason === 'pruned';
  return isPruned ? 'pruned' : state;
}
