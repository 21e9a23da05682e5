import { METRICS, score, type MetricName } from '../experiment/metrics';
import type { EvaluationMetrics, RunEvent } from './events';

export type Evaluation = Extract<RunEvent, { kind: 'evaluation' }>;

export type AnyEvaluation = Extract<RunEvent, { kind: 'evaluation' | 'diverged-evaluation' }>;

/** Every evaluation of a journal, including diverged ones. */
export const isAnyEvaluation = (e: RunEvent): e is AnyEvaluation =>
  e.kind === 'evaluation' || e.kind === 'diverged-evaluation';

/** Whether a value from a file is an evaluation's result, with every metric a finite number. */
export const isMetrics = (value: unknown): value is EvaluationMetrics =>
  [...METRICS, 'examples' as const].every((name) =>
    Number.isFinite((value as Partial<EvaluationMetrics> | null | undefined)?.[name]),
  );

/**
 * The evaluation of a trial that counts: the best by `metric`, in the form that was trained last, excluding diverged
 * ones.
 */
export function bestBy(metric: MetricName, evaluations: readonly AnyEvaluation[]): Evaluation | undefined {
  const form = evaluations.at(-1)?.form;
  const value = ({ metrics }: Evaluation) => score(metric, metrics[metric]);
  return evaluations
    .filter((e): e is Evaluation => e.kind === 'evaluation' && e.form === form)
    .reduce<Evaluation | undefined>((best, e) => (best && value(best) >= value(e) ? best : e), undefined);
}
