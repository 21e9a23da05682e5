import { formatMetric, metricInfo } from '../../src/experiment/metrics';
import type {
  PageTrial,
  SweepFacts,
  SweepToPage,
  PageTrialState,
  QueueState,
} from '../../src/protocol/panels/sweep';
import { numberAxis, settingAxes, type Axis } from '../../src/study/sweep/axis';
import { bestTrial } from '../../src/study/sweep/best-so-far';
import { METRIC } from '../../src/study/sweep/parallel';
import { shades } from '../../src/study/sweep/sweep-style';
import { count, estimateText } from '../../src/base/number-text';
import { shortKeys } from '../../src/experiment/sweep';
import type { TimeLeft } from '../../src/study/sweep/trials';
import { t } from '../../src/base/l10n';

/** The sweep as the page shows it, computed once for each message. */
export interface Shown {
  facts: SweepFacts;
  /** By number. */
  trials: readonly PageTrial[];
  /** The settings of which there is more than one value. */
  axes: readonly Axis[];
  /** These, and the metric. */
  all: readonly Axis[];
  /** The metric of all trials that have a result. */
  values: readonly number[];
  shade(value: number): number;
  best: PageTrial | undefined;
}

/** The sweep after a message. */
export function receive(
  before: Shown | undefined,
  message: Exclude<SweepToPage, { type: 'error' }>,
): Shown | undefined {
  if (message.type === 'sweep') return shownOf(message.facts, message.trials);
  // Sent before this page was ready; the snapshot that it has requested follows.
  if (!before) return undefined;
  const byId = new Map(before.trials.map((trial) => [trial.id, trial]));
  for (const trial of message.trials) byId.set(trial.id, trial);
  return shownOf(message.facts ?? before.facts, [...byId.values()]);
}

function shownOf(facts: SweepFacts, given: readonly PageTrial[]): Shown {
  const trials = [...given].sort((a, b) => a.number - b.number);
  const { metric, varied, logarithmic } = facts;
  const axes = settingAxes(varied, logarithmic, trials).filter((a) => a.values.length > 1);
  const values = trials.flatMap((trial) => trial.metric ?? []);
  const { label } = metricInfo(metric);
  const text = (value: number) => formatMetric(metric, value);
  return {
    facts,
    trials,
    axes,
    all: [...axes, numberAxis(METRIC, label, values, text)],
    values,
    shade: shades(values, metric),
    best: bestTrial(trials, metric),
  };
}

/**
 * A trial's state in a word or two.
 *
 * @param isSubmitted whether it is in a cluster's queue, which the sweep's own queue does not empty
 */
export function trialWord(state: PageTrialState, queue: QueueState, isSubmitted = false): string {
  const words: Record<PageTrialState, string> = {
    queued: queue === 'running' || isSubmitted ? t('queued') : t('not started'),
    preempted: t('preempted'),
    starting: t('starting'),
    running: t('running'),
    waiting: t('waiting for others'),
    stopped: t('stopped'),
    lost: t('lost'),
    finished: t('finished'),
    diverged: t('diverged'),
    failed: t('failed'),
    damaged: t('damaged'),
    pruned: t('pruned'),
    'passed-over': t('passed over'),
    dropped: t('no longer planned'),
  };
  return words[state];
}

export function queueWord(state: QueueState): string {
  const words: Record<QueueState, string> = {
    running: t('running'),
    finished: t('finished'),
    stopped: t('stopped'),
    failed: t('failed'),
    lost: t('lost'),
    gone: t('deleted'),
  };
  return words[state];
}

/** The method by which it chooses trials, in one sentence. */
export function planWords({ type, varied, metric, parallel, pruning, search, on }: SweepFacts): string {
  const kinds = { grid: t('Grid'), random: t('Random'), list: t('List') };
  const names = [...shortKeys(varied).values()].join(', ');
  const parts = [
    on ?? '',
    names ? t('{0} over {1}', kinds[type], names) : kinds[type],
    t('compared by {0}', metricInfo(metric).label),
    parallel === undefined ? '' : parallel === 1 ? t('one at a time') : t('{0} in parallel', parallel),
    search ? searchWords(search) : '',
    pruning ? pruningWords(pruning) : '',
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

const searchWords = ({ seeds }: NonNullable<SweepFacts['search']>): string =>
  seeds === 1
    ? t('learning rates searched with the first seed; other seeds use the best')
    : t('learning rates searched with the first {0} seeds; other seeds use the best', seeds);

function pruningWords({ eta, minEpochs, minSteps }: NonNullable<SweepFacts['pruning']>): string {
  const first = minSteps ?? minEpochs!;
  const at = [first, first * eta, first * eta * eta].join(', ');
  return minSteps === undefined
    ? t('one in {0} continues after {1} … epochs', eta, at)
    : t('one in {0} continues after {1} … steps', eta, at);
}

/** "About 12 min left, estimated from 3 trials." */
export function timeLeftWords({ seconds, from }: TimeLeft): string {
  const time = estimateText(seconds);
  return from === 1
    ? t('Time left: {0}, estimated from 1 trial', time)
    : t('Time left: {0}, estimated from {1} trials', time, count(from));
}

export const metricText = ({ metric }: SweepFacts, value: number | undefined): string =>
  value === undefined ? '–' : formatMetric(metric, value);

/** "#12 rank 4 · seed 1 · accuracy 81.0%" */
export function trialText(facts: SweepFacts, trial: PageTrial): string {
  const { label } = metricInfo(facts.metric);
  return [
    trial.name,
    trial.metric === undefined
      ? trialWord(trial.state, facts.state)
      : `${label} ${metricText(facts, trial.metric)}`,
  ].join(' · ');
}
