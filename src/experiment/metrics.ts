/** What a validation comes to: the names of the metrics, which way each is better, and how a value is written. */
export type MetricName = 'loss' | 'accuracy' | 'f1' | 'matthews';

export const METRICS = ['accuracy', 'f1', 'matthews', 'loss'] as const satisfies readonly MetricName[];

export const isMetric = (value: unknown): value is MetricName => METRICS.includes(value as MetricName);

/** As the command line and the tree write them. */
export const METRIC_NAMES: Record<MetricName, string> = {
  loss: 'loss',
  accuracy: 'accuracy',
  f1: 'F1',
  matthews: 'MCC',
};

/** The value of one evaluation; 'diverged' where the model's outputs were not finite, or its loss had exploded. */
export type MetricValue = number | 'diverged';

/**
 * Whether metrics of a file hold a null, which is what JSON makes of NaN and of infinity. Earlier versions wrote
 * diverged evaluations so.
 */
export const holdsNull = (metrics: unknown): boolean =>
  typeof metrics === 'object' && metrics !== null && Object.values(metrics).includes(null);

/** 1 where more is better. */
export const senseOf = (metric: MetricName): 1 | -1 => (metric === 'loss' ? -1 : 1);

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
  if (metric === 'accuracy' || metric === 'f1') return `${(100 * value).toFixed(1)} %`;
  return value.toFixed(metric === 'loss' ? 4 : 3);
}
