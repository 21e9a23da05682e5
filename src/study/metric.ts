import { metricInfo, type MetricName } from '../experiment/metrics';
import type { Say } from './say';

/** The factor for displaying a metric: points, or the loss itself. */
export const factorOf = (metric: MetricName): number => (metricInfo(metric).inPoints ? 100 : 1);

export const digitsOf = (metric: MetricName): number =>
  metricInfo(metric).inPoints ? 1 : metricInfo(metric).digits;

/** For a difference within a run, which is smaller than between groups. */
export const fineDigitsOf = (metric: MetricName): number =>
  metricInfo(metric).inPoints ? 2 : metricInfo(metric).digits;

/** The minimum and maximum as displayed: the limits of an axis. */
export const rangeOf = (metric: MetricName): [number, number] => {
  const [least, most] = metricInfo(metric).range;
  return [least * factorOf(metric), most * factorOf(metric)];
};

/** As an axis title and column header. */
export function metricTitle(metric: MetricName, say: Say): string {
  const { label, percent, inPoints } = metricInfo(metric);
  return percent ? say('{0}, %', say(label)) : inPoints ? say('{0} × 100', say(label)) : say(label);
}

/** A displayed value without its unit. */
export const shown = (metric: MetricName, value: number, digits = digitsOf(metric)): string =>
  Number.isNaN(value) ? '–' : minus((value * factorOf(metric)).toFixed(digits));

/** With a sign, as for differences; no sign for a rounded zero. */
export function shownSigned(metric: MetricName, value: number, digits = digitsOf(metric)): string {
  const text = (value * factorOf(metric)).toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : Number(text) > 0 ? `+${text}` : minus(text);
}

const minus = (text: string): string => (Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−'));

/**
 * What one of this many examples changes in a metric: an accuracy is a multiple of it, F1 and MCC change by about as
 * much. 0 for one with any value, such as a loss or a correlation, and for shares of words or tokens, whose steps are far
 * smaller.
 */
export const resolutionOf = (metric: MetricName, examples: number): number =>
  metricInfo(metric).counts ? 1 / examples : 0;
