import { own } from '../../base/names';
import type { PageTrial, PageTrialState } from '../../protocol/panels/sweep';
import { trainedSeconds, trainedShare } from './trials';
import type { Axis } from './axis';

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
