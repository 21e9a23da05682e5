import type { DataSpec } from '../experiment/experiment';
import { type MetricName, type Metrics, metricsIn, metricValue, score } from '../experiment/metrics';
import type { Evaluated, EvaluationMetrics, RunEvent } from './events';

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

/** The mean of each metric over several sets, all of which count the same, whatever their size. */
export type MeanScore = Metrics | 'diverged';

/** The scores of a run's best adapter on the sets that training did not see. */
export interface Scores {
  /** The step of the best evaluation. */
  step: number;
  /** On data.test. */
  test?: Evaluated;
  /** The scores on the sets of data.evaluations, in their order, as far as they have been scored. */
  sets: { name: string; score: Evaluated }[];
  /** Over all sets of data.evaluations; left out while one is missing. */
  mean?: MeanScore;
}

/** The scores in a run's journal; undefined if nothing has been scored. */
export function scoresOf(
  events: readonly RunEvent[],
  data: Pick<DataSpec, 'evaluations'> | undefined,
): Scores | undefined {
  const found = events.filter((e) => e.kind === 'test-evaluation');
  if (found.length === 0) return undefined;
  const { step } = found.at(-1)!;
  const scoreOn = (set: string | undefined) => found.findLast((e) => e.set === set)?.metrics;
  const test = scoreOn(undefined);
  const names = Object.keys(data?.evaluations ?? {});
  const sets = names.flatMap((name) => {
    const score = scoreOn(name);
    return score === undefined ? [] : [{ name, score }];
  });
  const mean = sets.length === names.length ? meanScore(sets.map(({ score }) => score)) : undefined;
  return { step, test, sets, mean };
}

/** The unweighted mean of each metric that all have; 'diverged' if one of them is. Undefined for none. */
export function meanScore(scores: readonly Evaluated[]): MeanScore | undefined {
  if (scores.length === 0) return undefined;
  const all = scores.filter((score) => score !== 'diverged');
  if (all.length < scores.length) return 'diverged';
  const shared = metricsIn(...all).filter((name) => all.every((score) => score[name] !== undefined));
  const mean = (name: MetricName) => all.reduce((sum, score) => sum + score[name]!, 0) / all.length;
  return Object.fromEntries(shared.map((name) => [name, mean(name)])) as Metrics;
}
