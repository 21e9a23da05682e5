import { own } from '../base/names';
import { percent } from '../base/percent';

export type MetricName = 'accuracy' | 'f1' | 'matthews' | 'loss';

/** All that is the same wherever a metric is named, written, drawn or compared. */
export interface MetricInfo {
  /** In a sentence and over a column: "accuracy", "MCC". */
  label: string;
  /** Over a chart: "Matthews correlation". */
  longLabel: string;
  better: 'higher' | 'lower';
  /** The least and the largest value there can be. */
  range: readonly [number, number];
  /** Written as a percentage, with so many digits after the point. */
  percent: boolean;
  digits: number;
  /** Studies show it times 100, and a difference in points. */
  inPoints: boolean;
  /**
   * What it is the mean of over the examples; undefined where it cannot be split into examples, so that no test
   * can take the examples as a sample.
   */
  meanOf?: 'correct' | 'loss';
  /** One sentence; the schema has it, with the source, at the metric's name. */
  definition: string;
  /** Whose numbers these are. */
  source: string;
}

const METRIC_INFO: Readonly<Record<MetricName, MetricInfo>> = {
  accuracy: {
    label: 'accuracy',
    longLabel: 'accuracy',
    better: 'higher',
    range: [0, 1],
    percent: true,
    digits: 1,
    inPoints: true,
    meanOf: 'correct',
    definition: 'Share of examples whose predicted label is the true one.',
    source: 'scikit-learn, accuracy_score',
  },
  f1: {
    label: 'F1',
    longLabel: 'F1',
    better: 'higher',
    range: [0, 1],
    percent: true,
    digits: 1,
    inPoints: true,
    definition:
      'Harmonic mean of precision and recall: of the second label if there are two, otherwise the mean over labels.',
    source: 'scikit-learn, f1_score',
  },
  matthews: {
    label: 'MCC',
    longLabel: 'Matthews correlation',
    better: 'higher',
    range: [-1, 1],
    percent: false,
    digits: 3,
    inPoints: true,
    definition:
      'Matthews correlation of the predicted and the true labels, from -1 to 1; 0 for guessing. The AuroRA paper uses it for CoLA.',
    source: 'Gorodkin, 2004; scikit-learn, matthews_corrcoef',
  },
  loss: {
    label: 'loss',
    longLabel: 'loss',
    better: 'lower',
    range: [0, Infinity],
    percent: false,
    digits: 4,
    inPoints: false,
    meanOf: 'loss',
    definition: 'Mean cross-entropy in nats; lower is better.',
    source: 'scikit-learn, log_loss',
  },
};

/** Of one that this version does not know, as a file of a later one may have it, only the name. */
export const metricInfo = (metric: MetricName): MetricInfo =>
  own(METRIC_INFO, metric) ?? {
    label: metric,
    longLabel: metric,
    better: 'higher',
    range: [-Infinity, Infinity],
    percent: false,
    digits: 3,
    inPoints: false,
    definition: '',
    source: '',
  };

export const METRICS = Object.keys(METRIC_INFO) as MetricName[];

/** As a table has them. */
export const METRIC_COLUMNS: readonly MetricName[] = ['loss', 'accuracy', 'f1', 'matthews'];

/** What a metric is, for a hover: its definition and its source. */
export const metricHover = (metric: MetricName): string =>
  `${metricInfo(metric).definition} (${metricInfo(metric).source})`;

export const isMetric = (value: unknown): value is MetricName => METRICS.includes(value as MetricName);

/** The value of one evaluation; 'diverged' where the model's outputs were not finite, or its loss had exploded. */
export type MetricValue = number | 'diverged';

/**
 * Whether metrics of a file hold a null, which is what JSON makes of NaN and of infinity. Earlier versions wrote
 * diverged evaluations so.
 */
export const holdsNull = (metrics: unknown): boolean =>
  typeof metrics === 'object' && metrics !== null && Object.values(metrics).includes(null);

/** 1 where more is better. */
export const senseOf = (metric: MetricName): 1 | -1 => (metricInfo(metric).better === 'lower' ? -1 : 1);

/** Larger is better, whatever the metric; a diverged evaluation is worse than every other. */
export const score = (metric: MetricName, value: MetricValue): number =>
  value === 'diverged' || Number.isNaN(value) ? -Infinity : senseOf(metric) * value;

/** For sorting scores, the best first; also of two that are both infinite. */
export const bestFirst = (a: number, b: number): number => (a === b ? 0 : b - a);

/** Whether a value is better than another by more than `margin`. */
export const isBetter = (metric: MetricName, value: MetricValue, than: MetricValue, margin = 0): boolean =>
  value !== 'diverged' && score(metric, value) - score(metric, than) > margin;

/** "61.2 %", "0.4312" for a loss, "0.431" for MCC. */
export function formatMetric(metric: MetricName, value: MetricValue): string {
  if (value === 'diverged' || !Number.isFinite(value)) return String(value);
  const { percent: isPercent, digits } = metricInfo(metric);
  return isPercent ? percent(value, digits) : value.toFixed(digits);
}

/** The metrics of one evaluation as cells under `metricHeads`; a dash for those that are not known. */
export const metricCells = (metrics: Readonly<Partial<Record<MetricName, number>>>): string[] =>
  METRIC_COLUMNS.map((m) => (metrics[m] === undefined ? '–' : formatMetric(m, metrics[m])));

export const metricHeads = (): string[] => METRIC_COLUMNS.map((m) => metricInfo(m).label);
