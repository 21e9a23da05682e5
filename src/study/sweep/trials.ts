import { own } from '../../base/names';
import { trainedCount } from '../../experiment/sweep';
import type { PageTrial, PageTrialState, SweepFacts } from '../../protocol/panels/sweep';
import type { Axis } from './axis';

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
const trainedShare = ({ step, steps, state }: Pick<PageTrial, 'step' | 'steps' | 'state'>): number =>
  state === 'finished' ? 1 : steps > 0 ? Math.min(1, step / steps) : 0;

/** `setting:` and a dotted key, or a column of the table. */
export type SortKey = 'number' | 'state' | 'metric' | 'loss' | 'progress' | 'duration' | `setting:${string}`;

export interface Sort {
  key: SortKey;
  descending: boolean;
}

/** Running trials first, then those to come, then those that ended. */
const STATES: readonly PageTrialState[] = [
  'running',
  'starting',
  'waiting',
  'preempted',
  'queued',
  'stopped',
  'lost',
  'finished',
  'pruned',
  'diverged',
  'failed',
  'damaged',
  'passed-over',
  'dropped',
];

/** The trials in the order of a column; those without a value come last, and equal ones by number. */
export function sortTrials(
  trials: readonly PageTrial[],
  { key, descending }: Sort,
  axes: readonly Axis[],
): PageTrial[] {
  const value = valueFor(key, axes);
  const sign = descending ? -1 : 1;
  return trials
    .map((trial) => ({ trial, value: value(trial) }))
    .sort((a, b) => {
      if (a.value === undefined || b.value === undefined)
        return Number(a.value === undefined) - Number(b.value === undefined) || byNumber(a.trial, b.trial);
      return sign * (a.value - b.value) || byNumber(a.trial, b.trial);
    })
    .map(({ trial }) => trial);
}

const byNumber = (a: PageTrial, b: PageTrial): number => a.number - b.number;

function valueFor(key: SortKey, axes: readonly Axis[]): (trial: PageTrial) => number | undefined {
  if (key.startsWith('setting:')) {
    const name = key.slice('setting:'.length);
    // Categories in the order of their axis.
    const axis = axes.find((a) => a.key === name);
    return (t) => axis?.at(own(t.settings, name));
  }
  switch (key) {
    case 'metric':
      return (t) => t.metric;
    case 'loss':
      return (t) => t.loss;
    case 'state':
      return (t) => STATES.indexOf(t.state);
    case 'progress':
      return (t) => (t.run === undefined ? undefined : trainedShare(t));
    case 'duration':
      return (t) => (t.spans.length === 0 ? undefined : trainedSeconds(t));
    default:
      return (t) => t.number;
  }
}

export interface TimeLeft {
  seconds: number;
  /** The number of trials whose durations it is estimated from. */
  from: number;
}

/** A running trial that is further than this is estimated by its own pace. */
const OWN_PACE = 0.1;

/**
 * The estimated remaining time of a running sweep: the training that is left, at the pace of the trials that have ended
 * or paused, divided by the trials that train in parallel, but at least as long as its longest trial. Undefined while
 * none has ended, and unless it is running.
 */
export function timeLeft(
  { state, parallel = 1, pruning, search }: Pick<SweepFacts, 'state' | 'parallel' | 'pruning' | 'search'>,
  all: readonly PageTrial[],
): TimeLeft | undefined {
  if (state !== 'running') return undefined;
  const trials = all.filter((t) => isPlanned(t) || t.run !== undefined);
  const measured = trials.filter(
    (t) => !isTraining(t) && t.state !== 'failed' && trainedShare(t) > 0 && trainedSeconds(t) > 0,
  );
  if (measured.length === 0) return undefined;
  const sum = (of: (t: PageTrial) => number) => measured.reduce((total, t) => total + of(t), 0);
  /** Seconds of a whole trial. */
  const whole = sum(trainedSeconds) / sum(trainedShare);
  const left = trials.filter(isPlanned).filter((t) => !isDone(t));
  const secondsOf = (t: PageTrial): number => {
    const share = trainedShare(t);
    const own = isTraining(t) && share > OWN_PACE && trainedSeconds(t) > 0;
    return (1 - share) * (own ? trainedSeconds(t) / share : whole);
  };
  if (pruning) return { seconds: (whole * sharesLeft(trials, pruning)) / parallel, from: measured.length };
  const each = left.map(secondsOf);
  const total = each.reduce((a, b) => a + b, 0) * toBeTrained(trials, left.length, search);
  return {
    seconds: left.length === 0 ? 0 : Math.max(total / parallel, ...each),
    from: measured.length,
  };
}

/** The share of the unfinished trials that a learning rate search will train; 1 without a search. */
function toBeTrained(trials: readonly PageTrial[], left: number, search: SweepFacts['search']): number {
  if (!search || left === 0) return 1;
  const planned = trials.filter((t) => t.state !== 'dropped');
  const all = trainedCount(
    planned.map((t) => t.settings),
    search,
  );
  const done = planned.filter(isDone).length;
  return Math.min(1, Math.max(0, all - done) / left);
}

/**
 * The number of whole trainings that successive halving still takes: at each comparison, those that are left, for the
 * part up to there that is not trained yet. The furthest trials are the ones that are kept; a failed one is not.
 */
function sharesLeft(trials: readonly PageTrial[], pruning: NonNullable<SweepFacts['pruning']>): number {
  const { steps = 0, epochs = 0 } = trials.find((t) => t.steps > 0) ?? {};
  const total = pruning.minSteps === undefined ? epochs : steps;
  const shares = trials
    .filter((t) => t.state !== 'dropped')
    .map((t) => ({ failed: t.state === 'failed' || t.state === 'diverged', share: trainedShare(t) }))
    .sort((a, b) => Number(a.failed) - Number(b.failed) || b.share - a.share)
    .map(({ failed, share }) => (failed ? 1 : share));
  let left = shares.length;
  let from = 0;
  let sum = 0;
  const train = (to: number) => {
    for (const share of shares.slice(0, left)) sum += Math.max(0, to - Math.max(from, share));
    from = to;
  };
  for (
    let at = pruning.minSteps ?? pruning.minEpochs!;
    left > 1 && at < total;
    at *= pruning.eta, left = Math.max(1, Math.floor(left / pruning.eta))
  )
    train(at / total);
  train(1);
  return sum;
}
