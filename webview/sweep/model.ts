import { formatMetric, metricInfo } from '../../src/experiment/metrics';
import type { PageTrial, SweepFacts, SweepToPage } from '../../src/protocol/panels/sweep';
import { numberAxis, settingAxes, type Axis } from '../../src/study/sweep/axis';
import { bestTrial } from '../../src/study/sweep/best-so-far';
import { METRIC } from '../../src/study/sweep/parallel';
import { shades } from '../../src/study/sweep/sweep-style';

/** What the page shows of the sweep, computed once for each message. */
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
