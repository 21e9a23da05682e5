import { t } from '../base/l10n';

import { metricInfo, senseOf, type MetricName } from './metrics';

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
