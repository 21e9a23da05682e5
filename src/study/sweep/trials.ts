import type { PageTrial } from '../../protocol/panels/sweep';

/** True if it needs no more training. */
export const isDone = ({ state }: Pick<PageTrial, 'state'>): boolean =>
  ['finished', 'diverged', 'failed', 'damaged', 'pruned'].includes(state);

/** True if it is to be trained, as far as is known: neither dropped from the section nor passed over. */
export const isPlanned = ({ state }: Pick<PageTrial, 'state'>): boolean =>
  state !== 'passed-over' && state !== 'dropped';

export const isTraining = ({ state }: Pick<PageTrial, 'state'>): boolean =>
  state === 'running' || state === 'starting';

/** Seconds that it has trained. */
export const trainedSeconds = ({ spans }: Pick<PageTrial, 'spans'>): number =>
  spans.reduce((sum, [from, to]) => sum + Math.max(0, to - from), 0) / 1000;

/** The share of its steps that it has trained, from 0 to 1. */
export const trainedShare = ({ step, steps, state }: Pick<PageTrial, 'step' | 'steps' | 'state'>): number =>
  state === 'finished' ? 1 : steps > 0 ? Math.min(1, step / steps) : 0;
