import type { MetricName } from '../experiment/metrics';
import type { Say } from './say';

/** What is shown is a metric times this: points, or the loss itself. */
export const factorOf = (metric: MetricName): number => (metric === 'loss' ? 1 : 100);

export const digitsOf = (metric: MetricName): number => (metric === 'loss' ? 4 : 1);

/** On an axis and over a column. */
export const metricTitle = (metric: MetricName, say: Say): string =>
  ({
    accuracy: say('accuracy, %'),
    f1: say('F1, %'),
    matthews: say('MCC × 100'),
    loss: say('loss'),
  })[metric];

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
  metric === 'loss' ? 0 : 1 / examples;
