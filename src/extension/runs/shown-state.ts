import type { RunEntry, ShownState } from './store';

export { shownState, STARTUP_MS } from '../../runs/shown-state';

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
