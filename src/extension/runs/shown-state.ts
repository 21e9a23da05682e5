import { stateOf } from '../../runs/outcome';
import type { RunSummary } from '../../runs/read';
import type { RunEntry, ShownState } from './store';

/** A run folder without a status for so long never started. A cold start takes a few seconds. */
export const STARTUP_MS = 30_000;

/** The displayed state of a run. `made` is when its spec.json was written; times in ms since 1970. */
export function shownState(run: RunSummary, made: number, now = Date.now()): ShownState {
  const state = stateOf(run, now);
  switch (state) {
    case undefined:
      return now - made < STARTUP_MS ? 'starting' : 'lost';
    case 'running':
      return run.events.some((e) => e.kind === 'started') ? 'running' : 'starting';
    case 'diverged':
      return 'failed';
    case 'finished':
    case 'stopped':
    case 'failed':
      return state;
    default:
      return 'lost';
  }
}

/** Whether a trainer works on it, or is about to. */
export const isActive = (state: ShownState): boolean => state === 'running' || state === 'starting';

/**
 * Whether it can be resumed. A run that failed before it started would only fail again, since its settings are fixed.
 */
export const isResumable = ({ state, run }: Pick<RunEntry, 'state' | 'run'>): boolean =>
  run !== undefined &&
  (state === 'stopped' ||
    state === 'lost' ||
    (state === 'failed' && run.events.some((e) => e.kind === 'started')));
