import { stateOf } from './outcome';
import type { RunSummary } from './read';

/**
 * The displayed state of a run. `lost`: it claims to be running but no process does so. `queued`: a cluster's scheduler has
 * it, for the first time or again (`sweep/shown-on-cluster.ts`).
 */
export type ShownState =
  'queued' | 'starting' | 'running' | 'finished' | 'stopped' | 'failed' | 'lost' | 'damaged';

/** A run folder without a status for so long never started. A cold start takes a few seconds. */
export const STARTUP_MS = 30_000;

/** The displayed state of a run. `made` is when its spec.json was written; times in ms since 1970. */
export function shownState(run: RunSummary, made: number, now = Date.now()): ShownState {
  const state = stateOf(run, now);
  switch (state) {
    case undefined:
      return Math.abs(now - made) < STARTUP_MS ? 'starting' : 'lost';
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
