import { metricValue, metricsIn, score, type MetricName } from '../experiment/metrics';
import type { EvaluationMetrics, RunEvent } from './events';

export type Evaluation = Extract<RunEvent, { kind: 'evaluation' }>;

export type AnyEvaluation = Extract<RunEvent, { kind: 'evaluation' | 'diverged-evaluation' }>;

/** Every evaluation of a journal, including diverged ones. */
export const isAnyEvaluation = (e: RunEvent): e is AnyEvaluation =>
  e.kind === 'evaluation' || e.kind === 'diverged-evaluation';

/** True if a value from a file is an evaluation's result: a loss and other metrics, all finite numbers. */
export function isMetrics(value: unknown): value is EvaluationMetrics {
  const metrics = (value ?? {}) as Partial<EvaluationMetrics>;
  const found = metricsIn(metrics);
  return (
    found.length > 0 &&
    [...found, 'loss' as const, 'examples' as const].every((name) => Number.isFinite(metrics[name]))
  );
}

/**
 * The evaluation of a trial that counts: the best by `metric`, in the form that was trained last, excluding diverged
 * ones.
 */
export function bestBy(metric: MetricName, evaluations: readonly AnyEvaluation[]): Evaluation | undefined {
  const form = evaluations.at(-1)?.form;
  let best: { evaluation: Evaluation; value: number } | undefined;
  for (const evaluation of evaluations) {
    if (evaluation.kind !== 'evaluation' || evaluation.form !== form) continue;
    const value = score(metric, metricValue(evaluation.metrics, metric));
    if (!best || value > best.value) best = { evaluation, value };
  }
  return best?.evaluation;
}
