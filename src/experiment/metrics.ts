import { own } from '../base/names';
import { decimalText, shortNumber, percent } from '../base/number-text';

export type MetricName =
  | 'accuracy'
  | 'f1'
  | 'microF1'
  | 'macroF1'
  | 'weightedF1'
  | 'top5Accuracy'
  | 'matthews'
  | 'pearson'
  | 'spearman'
  | 'rmse'
  | 'meanAveragePrecision'
  | 'entityF1'
  | 'entityPrecision'
  | 'entityRecall'
  | 'tagAccuracy'
  | 'perplexity'
  | 'tokenAccuracy'
  | 'exactMatch'
  | 'lastNumber'
  | 'loss';

/** Everything about a metric that is the same wherever it is named, written, drawn or compared. */
export interface MetricInfo {
  /** In a sentence and as a column header: "accuracy", "MCC". */
  label: string;
  /** The name as a chart title: "Matthews correlation". */
  longLabel: string;
  better: 'higher' | 'lower';
  /** The minimum and maximum possible value. */
  range: readonly [number, number];
  /** Formatted as a percentage, with this many decimals. */
  percent: boolean;
  digits: number;
  /**
   * The scale on which a difference is written and judged (shown-metrics.ts): in `points`, which are hundredths,
   * where the scale is fixed; `relative` to the value that it is a difference from where the scale follows from the
   * data.
   */
  difference: 'points' | 'relative';
  /**
   * The value of one example, which the metric averages; undefined if it cannot be split into examples, so that no test
   * can treat the examples as a sample.
   */
  meanOf?: 'correct' | 'loss';
  /** Set if it counts examples, or parts of them, as right or wrong, so that one example changes it noticeably. */
  counts?: true;
  /**
   * Set if always predicting the most frequent label can score well, so that it says little about unbalanced labels.
   */
  favorsFrequent?: true;
  /** One sentence; the schema has it at the metric's name, with the source. */
  definition: string;
  /** The source of the definition. */
  source: string;
}

/** A share of 1. */
const share = (label: string) =>
  ({
    label,
    longLabel: label,
    better: 'higher',
    range: [0, 1],
    percent: true,
    digits: 1,
    difference: 'points',
  }) as const;

/** From -1 to 1. */
const correlation = (label: string, longLabel: string) =>
  ({
    label,
    longLabel,
    better: 'higher',
    range: [-1, 1],
    percent: false,
    digits: 3,
    difference: 'points',
  }) as const;

const METRIC_INFO: Readonly<Record<MetricName, MetricInfo>> = {
  accuracy: {
    ...share('accuracy'),
    counts: true,
    favorsFrequent: true,
    meanOf: 'correct',
    definition: 'Share of examples with the correct predicted label.',
    source: 'scikit-learn, accuracy_score',
  },
  f1: {
    ...share('F1'),
    counts: true,
    definition:
      'Harmonic mean of precision and recall: of the second label if there are two, otherwise the mean over labels.',
    source: 'scikit-learn, f1_score',
  },
  microF1: {
    ...share('micro F1'),
    counts: true,
    definition:
      'Harmonic mean of precision and recall over all labels of all examples; a label is predicted if its probability is above 50%.',
    source: 'scikit-learn, f1_score with average="micro"',
  },
  macroF1: {
    ...share('macro F1'),
    counts: true,
    definition:
      'Mean of F1 over the labels. Of several labels per text, those with a probability above 50% are predicted.',
    source: 'scikit-learn, f1_score with average="macro"',
  },
  weightedF1: {
    ...share('weighted F1'),
    counts: true,
    favorsFrequent: true,
    definition: 'Mean of F1 over the labels, each weighted by how often it is the true one.',
    source: 'scikit-learn, f1_score with average="weighted"',
  },
  top5Accuracy: {
    ...share('top-5 accuracy'),
    counts: true,
    favorsFrequent: true,
    definition: 'Share of examples whose label is among the five with the highest scores.',
    source: 'scikit-learn, top_k_accuracy_score',
  },
  matthews: {
    ...correlation('MCC', 'Matthews correlation'),
    counts: true,
    definition:
      'Matthews correlation of the predicted and the true labels, from -1 to 1; 0 for guessing. The AuroRA paper uses it for CoLA.',
    source: 'Gorodkin, 2004; scikit-learn, matthews_corrcoef',
  },
  pearson: {
    ...correlation('Pearson', 'Pearson correlation'),
    definition:
      'Pearson correlation of the predicted and the true numbers, from -1 to 1; 0 if either are all the same. The AuroRA paper uses it for STS-B.',
    source: 'SciPy, pearsonr',
  },
  spearman: {
    ...correlation('Spearman', 'Spearman correlation'),
    definition:
      'Pearson correlation of the ranks of the predicted and the true numbers, from -1 to 1; equal numbers share a rank.',
    source: 'SciPy, spearmanr',
  },
  rmse: {
    label: 'RMSE',
    longLabel: 'root mean squared error',
    better: 'lower',
    range: [0, Infinity],
    percent: false,
    digits: 4,
    difference: 'relative',
    definition: 'Root of the mean squared difference between predicted and true numbers, in their unit.',
    source: 'scikit-learn, root_mean_squared_error',
  },
  meanAveragePrecision: {
    ...share('mAP'),
    longLabel: 'mean average precision',
    definition:
      'Mean over the labels of average precision: of the precision at each example that has the label, ordered by probability.',
    source: 'scikit-learn, average_precision_score with average="macro"',
  },
  entityF1: {
    ...share('entity F1'),
    counts: true,
    definition: 'Harmonic mean of precision and recall over all entities: exact words and type.',
    source: 'seqeval, f1_score',
  },
  entityPrecision: {
    ...share('entity precision'),
    counts: true,
    definition: 'Share of predicted entities that are in the data, with exactly these words and this type.',
    source: 'seqeval, precision_score',
  },
  entityRecall: {
    ...share('entity recall'),
    counts: true,
    definition:
      'Share of the entities in the data that are predicted, with exactly these words and this type.',
    source: 'seqeval, recall_score',
  },
  tagAccuracy: {
    ...share('tag accuracy'),
    definition: 'Share of words with the right tag.',
    source: 'seqeval, accuracy_score',
  },
  perplexity: {
    label: 'perplexity',
    longLabel: 'perplexity',
    better: 'lower',
    range: [1, Infinity],
    percent: false,
    digits: 2,
    difference: 'relative',
    definition:
      'e to the mean loss of a token: the effective number of equally likely tokens. Depends on the tokenizer.',
    source: 'Jelinek et al., 1977; transformers, run_clm.py',
  },
  tokenAccuracy: {
    ...share('token accuracy'),
    definition: 'Share of the tokens to predict that are the most likely ones at their place.',
    source: 'transformers, run_clm.py and run_mlm.py; scikit-learn, accuracy_score',
  },
  exactMatch: {
    ...share('exact match'),
    counts: true,
    meanOf: 'correct',
    definition:
      'Share of written texts with the answer in the data, both found by the pattern in task.answers and compared as texts or, without commas and currency signs, as numbers.',
    source: 'lm-evaluation-harness, exact_match; strict-match of gsm8k',
  },
  lastNumber: {
    ...share('last number'),
    counts: true,
    meanOf: 'correct',
    definition: 'Share of written texts whose last number is that of the answer in the data.',
    source: 'lm-evaluation-harness, exact_match; flexible-extract of gsm8k',
  },
  loss: {
    label: 'loss',
    longLabel: 'loss',
    better: 'lower',
    range: [0, Infinity],
    percent: false,
    digits: 4,
    difference: 'relative',
    meanOf: 'loss',
    definition:
      'Mean cross-entropy in nats; for numbers the mean squared error, in variances of the training data; for pictures that of the predicted noise. Lower is better.',
    source: 'scikit-learn, log_loss and mean_squared_error',
  },
};

/** For a metric from a later version, only the name is known. */
export const metricInfo = (metric: MetricName): MetricInfo =>
  own(METRIC_INFO, metric) ?? {
    label: metric,
    longLabel: metric,
    better: 'higher',
    range: [-Infinity, Infinity],
    percent: false,
    digits: 3,
    difference: 'relative',
    definition: '',
    source: '',
  };

export const METRICS = Object.keys(METRIC_INFO) as MetricName[];

/** The metrics of one evaluation. */
export type Metrics = Readonly<Partial<Record<MetricName, number>>>;

/** The metrics that any of the evaluations has, in the order of a table: the loss first. */
export const metricsIn = (...evaluations: readonly Metrics[]): MetricName[] =>
  (['loss', ...METRICS.filter((m) => m !== 'loss')] as const).filter((m) =>
    evaluations.some((e) => own(e, m) !== undefined),
  );

/** NaN for a metric that an evaluation lacks, as in a file from another version. */
export const metricValue = (metrics: Metrics, metric: MetricName): number => own(metrics, metric) ?? NaN;

/** A metric's definition and source, for a hover. */
export const metricHover = (metric: MetricName): string =>
  `${metricInfo(metric).definition} (${metricInfo(metric).source})`;

export const isMetric = (value: unknown): value is MetricName => METRICS.includes(value as MetricName);

/** The value from one evaluation; 'diverged' if the model's outputs were not finite, or its loss had exploded. */
export type MetricValue = number | 'diverged';

/** 1 if more is better. */
export const senseOf = (metric: MetricName): 1 | -1 => (metricInfo(metric).better === 'lower' ? -1 : 1);

/** Larger is better, whatever the metric; a diverged evaluation is worse than any other. */
export const score = (metric: MetricName, value: MetricValue): number =>
  value === 'diverged' || Number.isNaN(value) ? -Infinity : senseOf(metric) * value;

/** Sorts scores, best first; also handles two infinite ones. */
export const bestFirst = (a: number, b: number): number => (a === b ? 0 : b - a);

/** True if a value is better than another by more than `margin`. */
export const isBetter = (metric: MetricName, value: MetricValue, than: MetricValue, margin = 0): boolean =>
  value !== 'diverged' && score(metric, value) - score(metric, than) > margin;

/** "61.2%", "0.4312" for a loss, "0.431" for MCC; fewer decimals from 10 on, and none from 1,000 on; 4.5e-6. */
export function formatMetric(metric: MetricName, value: MetricValue): string {
  if (value === 'diverged' || !Number.isFinite(value)) return String(value);
  const { percent: isPercent, digits, range } = metricInfo(metric);
  if (isPercent) return percent(value, digits);
  // The scale of a loss or an error follows from the data.
  const isTiny = range[1] === Infinity && value !== 0 && Math.abs(value) < 10 ** (1 - digits);
  return isTiny ? shortNumber(value) : decimalText(value, digits);
}

/** An evaluation as cells under `metricHeads`; a dash for a metric that it lacks. */
export const metricCells = (names: readonly MetricName[], metrics: Metrics): string[] =>
  names.map((m) => (metrics[m] === undefined ? '–' : formatMetric(m, metrics[m])));

export const metricHeads = (names: readonly MetricName[]): string[] => names.map((m) => metricInfo(m).label);
