import { metricInfo, type MetricName } from '../experiment/metrics';
import type { Say } from './say';

/** What is shown is a metric times this: points, or the loss itself. */
export const factorOf = (metric: MetricName): number => (metricInfo(metric).inPoints ? 100 : 1);

export const digitsOf = (metric: MetricName): number =>
  metricInfo(metric).inPoints ? 1 : metricInfo(metric).digits;

/** Of a difference within a run, which is smaller than that between groups. */
export const fineDigitsOf = (metric: MetricName): number =>
  metricInfo(metric).inPoints ? 2 : metricInfo(metric).digits;

/** The least and the largest value as they are shown: where an axis ends at the latest. */
export const rangeOf = (metric: MetricName): [number, number] => {
  const [least, most] = metricInfo(metric).range;
  return [least * factorOf(metric), most * factorOf(metric)];
};

/** On an axis and over a column. */
export function metricTitle(metric: MetricName, say: Say): string {
  const { label, percent, inPoints } = metricInfo(metric);
  return percent ? say('{0}, %', say(label)) : inPoints ? say('{0} × 100', say(label)) : say(label);
}

/** A value as it is shown, without its unit. */
export const shown = (metric: MetricName, value: number, digits = digitsOf(metric)): string =>
  minus((value * factorOf(metric)).toFixed(digits));

/** With a sign, as differences are shown; none of a rounded zero. */
export function shownSigned(metric: MetricName, value: number, digits = digitsOf(metric)): string {
  const text = (value * factorOf(metric)).toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : Number(text) > 0 ? `+${text}` : minus(text);
}

const minus = (text: string): string => (Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−'));

/**
 * What one of so many examples changes in a metric at least: an accuracy is a multiple of it, F1 and MCC move by as much
 * or more. A loss can have any value: 0.
 */
export const resolutionOf = (metric: MetricName, examples: number): number =>
  metricInfo(metric).inPoints ? 1 / examples : 0;
