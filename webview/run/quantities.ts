import { rateText, SMALL_RATE, percent } from '../../src/base/number-text';
import { byteTickTexts, tickTexts } from '../../src/base/tick-texts';
import { formatMetric, METRICS, metricInfo, type MetricName } from '../../src/experiment/metrics';
import type { Experiment } from '../../src/experiment/experiment';
import { shapesOf } from '../../src/experiment/tasks/registry';
import type { ResourceColumn } from '../../src/protocol/run-files/resources';
import { t } from '../../src/base/l10n';
import { formatBytes, formatLoss, formatNumber, formatCount } from './run-numbers';
import { Each, type RunData, type XAxis, Smoothed } from './run-data';
import { absentWords } from '../../src/protocol/absent-labels';

/**
 * The subject of a chart: a column of the records, something computed from them, a metric of the evaluations, or what was
 * sampled of the machine.
 */
export interface Quantity {
  key: string;
  title(): string;
  format(value: number): string;
  /** The labels of an axis's ticks. */
  ticks(values: number[]): string[];
  /** Noisy from step to step: drawn raw and smoothed. */
  smoothed?: boolean;
  /** May be drawn on a logarithmic axis. */
  log?: boolean;
  /** A value for each step. */
  records?(run: RunData): Float64Array;
  /** A value about once a second, not at steps. */
  sampled?: ResourceColumn;
  /** True if a run has it; all have by default. */
  of?(run: RunData): boolean;
  metric?: MetricName;
  /** The axis starts at zero, because only the absolute size is meaningful. */
  fromZero?: boolean;
  /** The minimum and maximum possible value. */
  within?: readonly [number, number];
}

const perSecond = (run: RunData, column: string): Float64Array =>
  run.derive(`rate:${column}`, () => new Each((i) => run.column(column)[i] / run.column('seconds')[i]));

const column = (name: string) => (run: RunData) => run.column(name);

const plainTicks = (values: number[]) => tickTexts(values);
const percentTicks = (values: number[]) => tickTexts(values, { scale: 100, unit: '%' });
const rateTicks = (values: number[]) => tickTexts(values, { small: SMALL_RATE });
const POSITIVE = [0, Infinity] as const;

export const LOSS: Quantity = {
  key: 'loss',
  title: () => t('Loss'),
  format: formatLoss,
  ticks: plainTicks,
  smoothed: true,
  log: true,
  records: column('loss'),
  metric: 'loss',
  within: metricInfo('loss').range,
};

export const validation = (metric: MetricName): Quantity => ({
  key: metric,
  title: () => t('Validation {0}', t(metricInfo(metric).longLabel)),
  format: (value) => (Number.isNaN(value) ? '–' : formatMetric(metric, value)),
  ticks: metricInfo(metric).percent ? percentTicks : plainTicks,
  metric,
  within: metricInfo(metric).range,
});

const ofSteps = (key: string, title: () => string, more: Partial<Quantity> = {}): Quantity => ({
  ...{ key, title, format: formatNumber, ticks: plainTicks, within: POSITIVE },
  records: column(key),
  ...more,
});

const share = (key: ResourceColumn, title: () => string): Quantity => ({
  ...{ key, title, sampled: key, ticks: percentTicks, within: [0, 1], fromZero: true },
  format: (value) => (Number.isNaN(value) ? '–' : percent(value)),
});

const size = (key: ResourceColumn, title: () => string): Quantity => ({
  ...{
    key,
    title,
    sampled: key,
    format: formatBytes,
    ticks: byteTickTexts,
    within: POSITIVE,
    fromZero: true,
  },
});

export const QUANTITIES: readonly Quantity[] = [
  ...METRICS.filter((m) => m !== 'loss').map(validation),
  ofSteps('learningRate', () => t('Learning rate'), { format: rateText, ticks: rateTicks }),
  ofSteps('gradientNorm', () => t('Gradient norm'), { smoothed: true, log: true }),
  ofSteps('samplesPerSecond', () => t('Samples per second'), {
    smoothed: true,
    records: (run) => perSecond(run, 'examples'),
  }),
  ofSteps('tokensPerSecond', () => t('Tokens per second'), {
    smoothed: true,
    // An image counts as one, so that this would repeat the samples.
    of({ facts }) {
      const { task, data }: Partial<Experiment> = facts?.spec ?? {};
      return !task || !data || shapesOf({ task, data })?.input !== 'image';
    },
    records: (run) => perSecond(run, 'tokens'),
  }),
  ofSteps('memory', () => t('Trainer memory'), {
    format: formatBytes,
    ticks: byteTickTexts,
    fromZero: true,
  }),
  size('machineMemory', () => t('System memory')),
  share('processCpu', () => t('Trainer CPU usage')),
  share('machineCpu', () => t('System CPU usage')),
  share('gpu', () => t('GPU usage')),
  size('gpuMemory', () => t('GPU memory')),
];

export const smoothedRecords = (quantity: Quantity, run: RunData, weight: number): Float64Array =>
  run.derive(`smooth:${quantity.key}:${weight}`, () => new Smoothed(() => quantity.records!(run), weight));

/** The values of the training itself in a chart: one for each step, or the machine's samples; empty for a metric. */
export function ownSeries(
  { records, sampled }: Quantity,
  run: RunData,
  axis: XAxis,
): { x: Float64Array; y: Float64Array } {
  if (records) return { x: run.x(axis), y: records(run) };
  if (sampled) return { x: run.resources.x(axis), y: run.resources.column(sampled) };
  return { x: new Float64Array(0), y: new Float64Array(0) };
}

/** True if a run has values of it: a chart without any would be an empty frame. */
export function hasValues(quantity: Quantity, run: RunData): boolean {
  const { metric, records, of } = quantity;
  if (metric && !records) return run.measured.some((e) => Number.isFinite(run.metric(e, metric)));
  return (of?.(run) ?? true) && ownSeries(quantity, run, 'step').y.some(Number.isFinite);
}

/**
 * The charts beside the loss: quantities of which a run has values. F1 of more than two labels is macro F1, so that only one of them
 * is drawn, the one that the runs are trained for.
 */
export function drawnQuantities(runs: readonly RunData[]): Quantity[] {
  const quantities = QUANTITIES.filter((q) => runs.some((run) => hasValues(q, run)));
  const areSame = runs.every(({ started }) => started !== undefined && started.labels.length > 2);
  if (!areSame || !['f1', 'macroF1'].every((key) => quantities.some((q) => q.key === key))) return quantities;
  const wanted = runs.map(({ facts }) => facts?.spec?.training?.metric);
  const kept = wanted.includes('f1') && !wanted.includes('macroF1') ? 'f1' : 'macroF1';
  return quantities.flatMap((q) => {
    if (q.key !== 'f1' && q.key !== 'macroF1') return [q];
    if (q.key !== kept) return [];
    return [kept === 'f1' ? { ...q, title: () => t('Validation F1 (macro)') } : q];
  });
}

/** The explanation of a fall of macro F1: the newest evaluation with predicted labels that the data lack. */
export function chartNote({ metric, records }: Quantity, runs: readonly RunData[]): string {
  if (
    records ||
    (metric !== 'macroF1' && !(metric === 'f1' && runs.every((r) => (r.started?.labels.length ?? 0) > 2)))
  )
    return '';
  return runs
    .flatMap((run) => {
      const found = run.measured.findLast((e) => absentWords(e.metrics) !== undefined);
      if (!found) return [];
      const words = t('Step {0}: {1}', formatCount(found.step), absentWords(found.metrics)!);
      return [runs.length > 1 ? `${run.facts?.name ?? run.folder}: ${words}` : words];
    })
    .join(' ');
}
