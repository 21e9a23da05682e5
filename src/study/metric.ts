import { t } from '../base/l10n';

import { differenceOf } from '../experiment/shown-metrics';
import { metricInfo, type MetricName } from '../experiment/metrics';

const isInPoints = (metric: MetricName): boolean => metricInfo(metric).difference === 'points';

/** The factor for displaying a metric: in hundredths, or the loss itself. */
export const factorOf = (metric: MetricName): number => (isInPoints(metric) ? 100 : 1);

const digitsOf = (metric: MetricName): number => (isInPoints(metric) ? 1 : metricInfo(metric).digits);

/** Decimals of a difference between groups, and of one within a run, which is smaller. */
export const [BETWEEN, WITHIN] = [1, 2];

/** The minimum and maximum as displayed: the limits of an axis. */
export const rangeOf = (metric: MetricName): [number, number] => {
  const [least, most] = metricInfo(metric).range;
  return [least * factorOf(metric), most * factorOf(metric)];
};

/** The metric as an axis title and column header. */
export function metricTitle(metric: MetricName): string {
  const { label, percent } = metricInfo(metric);
  return percent ? t('{0}, %', t(label)) : isInPoints(metric) ? t('{0} × 100', t(label)) : t(label);
}

/** A displayed value without its unit. */
export const shown = (metric: MetricName, value: number): string =>
  Number.isNaN(value) ? '–' : minus((value * factorOf(metric)).toFixed(digitsOf(metric)));

/** The unit of differences, for an axis. */
export const differenceUnit = (metric: MetricName): string =>
  isInPoints(metric) ? t('points') : t('{0}, %', t(metricInfo(metric).label));

/** A difference from a value, in points without their unit or in percent: "0.6", "1.9%". */
export const shownDifference = (
  metric: MetricName,
  difference: number,
  from: number,
  digits = BETWEEN,
): string => minus(differenceOf(metric, difference, from).toFixed(digits)) + (isInPoints(metric) ? '' : '%');

/** The difference with a sign; none for a rounded zero: "+0.6", "−1.9%". */
export function signedDifference(
  metric: MetricName,
  difference: number,
  from: number,
  digits = BETWEEN,
): string {
  const text = shownDifference(metric, difference, from, digits);
  return /[1-9]/.test(text) && !text.startsWith('−') ? `+${text}` : text;
}

const minus = (text: string): string => (Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−'));

/**
 * The change of a metric by one of this many examples: an accuracy is a multiple of it, F1 and MCC change by about as
 * much. 0 for one with any value, such as a loss or a correlation, and for shares of words or tokens, whose steps are
 * far smaller.
 */
export const resolutionOf = (metric: MetricName, examples: number): number =>
  metricInfo(metric).counts ? 1 / examples : 0;
