import { own } from '../base/names';
import { metricsIn, type MetricName, type Metrics } from './metrics';

/**
 * The metrics for the columns of a table, the loss first: those that any of the evaluations has. F1 of more than two labels
 * is macro F1, and is one column.
 *
 * @param wanted the metric of training, or the chosen one: of the two, `f1` is kept only if it is this
 */
export function shownMetrics(wanted: string | undefined, ...evaluations: readonly Metrics[]): MetricName[] {
  const repeated = wanted === 'f1' ? 'macroF1' : 'f1';
  const all = metricsIn(...evaluations);
  return isOneF1(evaluations) ? all.filter((name) => name !== repeated) : all;
}

/**
 * True if F1 and macro F1 are the same by definition in all evaluations that have both. Equal values alone can be
 * chance: with two labels, both F1 are equal if as many examples of each are right, but then they also equal the
 * accuracy.
 */
export function isOneF1(evaluations: readonly Metrics[]): boolean {
  const both = evaluations.flatMap((e) => {
    const [f1, macro, accuracy] = [own(e, 'f1'), own(e, 'macroF1'), own(e, 'accuracy')];
    return f1 === undefined || macro === undefined ? [] : [{ f1, macro, accuracy }];
  });
  return (
    both.every(({ f1, macro }) => f1 === macro) &&
    both.some(({ f1, accuracy }) => accuracy !== undefined && Math.abs(f1 - accuracy) > ROUNDING)
  );
}

/** The rounding error between sums that give one share. */
const ROUNDING = 1e-9;
