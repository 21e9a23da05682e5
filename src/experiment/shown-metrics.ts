import { t } from '../base/l10n';
import { own } from '../base/names';
import { metricInfo, type MetricName, type Metrics, metricsIn, senseOf } from './metrics';

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

/** Differences below this seldom matter: one point, or one percent. */
export const MATTERS = 1;

/**
 * A difference in the unit that it is written in: points (hundredths), or percent of the value that it is a difference
 * from.
 */
export function differenceOf(metric: MetricName, difference: number, from: number): number {
  if (metricInfo(metric).difference === 'points') return 100 * difference;
  // Anything is infinitely more than nothing.
  return difference === 0 ? 0 : 100 * (from === 0 ? Math.sign(difference) : difference / Math.abs(from));
}

/** The loss in quality from `before` to `after`, in points or percent; negative if `after` is better. */
export const lossBetween = (metric: MetricName, before: number, after: number): number => {
  const difference = differenceOf(metric, after - before, before);
  return difference === 0 ? 0 : -senseOf(metric) * difference;
};

/** "2.31 points", "1.88%" */
export function amountText(metric: MetricName, amount: number): string {
  const rounded = Number(amount.toFixed(2));
  if (metricInfo(metric).difference === 'relative') return `${rounded}%`;
  return rounded === 1 ? t('1 point') : t('{0} points', rounded);
}

/** "accuracy falls by 2.31 points", "perplexity rises by 1.88%" @param loss from `lossBetween` */
export function changeText(metric: MetricName, loss: number): string {
  const label = t(metricInfo(metric).label);
  const size = Math.abs(loss);
  if (Number(size.toFixed(2)) === 0) return t('{0} does not change', label);
  const rises = -senseOf(metric) * loss > 0;
  return rises
    ? t('{0} rises by {1}', label, amountText(metric, size))
    : t('{0} falls by {1}', label, amountText(metric, size));
}
