import { score, type MetricName } from '../experiment/metrics';
import type { RunEvent } from './events';

export type Evaluation = Extract<RunEvent, { kind: 'evaluation' }>;

export type AnyEvaluation = Extract<RunEvent, { kind: 'evaluation' | 'diverged-evaluation' }>;

/** Every evaluation of a journal, diverged ones too. */
export const isAnyEvaluation = (e: RunEvent): e is AnyEvaluation =>
  e.kind === 'evaluation' || e.kind === 'diverged-evaluation';

/** The evaluation of a trial that counts: the best by `metric`, in the form that was trained last; no diverged one. */
export function bestBy(metric: MetricName, evaluations: readonly AnyEvaluation[]): Evaluation | undefined {
  const form = evaluations.at(-1)?.form;
  const value = ({ metrics }: Evaluation) => score(metric, metrics[metric]);
  return evaluations
    .filter((e): e is Evaluation => e.kind === 'evaluation' && e.form === form)
    .reduce<Evaluation | undefined>((best, e) => (best && value(best) >= value(e) ? best : e), undefined);
}
