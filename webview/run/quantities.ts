import { formatMetric, METRICS, metricInfo, type MetricName } from '../../src/experiment/metrics';
import type { Experiment } from '../../src/experiment/experiment';
import { shapesOf } from '../../src/experiment/tasks/registry';
import { t } from '../ui/l10n';
import { formatBytes, formatNumber } from './format';
import { Each, type RunData } from './model';
import { Smoothed } from './smoothing';

/** What a chart shows: a column of the records, something computed from them, or a metric of the evaluations. */
export interface Quantity {
  key: string;
  title(): string;
  format(value: number): string;
  /** On the axis, where more digits tell neighboring ticks apart; as `format` by default. */
  formatTick?(value: number): string;
  /** Noisy from step to step: drawn raw and smoothed. */
  smoothed?: boolean;
  /** May be drawn on a logarithmic axis. */
  log?: boolean;
  records?(run: RunData): Float64Array;
  /** Whether a run has it; all have by default. */
  of?(run: RunData): boolean;
  metric?: MetricName;
  /** The axis starts at zero, because only the absolute size is meaningful. */
  fromZero?: boolean;
}

const perSecond = (run: RunData, column: string): Float64Array =>
  run.derive(`rate:${column}`, () => new Each((i) => run.column(column)[i] / run.column('seconds')[i]));

const column = (name: string) => (run: RunData) => run.column(name);

export const LOSS: Quantity = {
  key: 'loss',
  title: () => t('Loss'),
  format: formatNumber,
  smoothed: true,
  log: true,
  records: column('loss'),
  metric: 'loss',
};

const validation = (metric: MetricName): Quantity => ({
  key: metric,
  title: () => t('Validation {0}', t(metricInfo(metric).longLabel)),
  format: (value) => (Number.isNaN(value) ? '–' : formatMetric(metric, value)),
  formatTick: (value) => (metricInfo(metric).percent ? `${formatNumber(100 * value)}%` : formatNumber(value)),
  metric,
});

export const QUANTITIES: readonly Quantity[] = [
  ...METRICS.filter((m) => m !== 'loss').map(validation),
  {
    key: 'learningRate',
    title: () => t('Learning rate'),
    format: formatNumber,
    records: column('learningRate'),
  },
  {
    key: 'gradientNorm',
    title: () => t('Gradient norm'),
    format: formatNumber,
    smoothed: true,
    log: true,
    records: column('gradientNorm'),
  },
  {
    key: 'samplesPerSecond',
    title: () => t('Samples per second'),
    format: formatNumber,
    smoothed: true,
    records: (run) => perSecond(run, 'examples'),
  },
  {
    key: 'tokensPerSecond',
    title: () => t('Tokens per second'),
    format: formatNumber,
    smoothed: true,
    // An image counts as one, so that this would repeat the samples.
    of({ facts }) {
      const { task, data }: Partial<Experiment> = facts?.spec ?? {};
      return !task || !data || shapesOf({ task, data })?.input !== 'image';
    },
    records: (run) => perSecond(run, 'tokens'),
  },
  {
    key: 'memory',
    title: () => t('Memory of the trainer'),
    format: formatBytes,
    records: column('memory'),
    fromZero: true,
  },
];

export const smoothedRecords = (quantity: Quantity, run: RunData, weight: number): Float64Array =>
  run.derive(`smooth:${quantity.key}:${weight}`, () => new Smoothed(() => quantity.records!(run), weight));
