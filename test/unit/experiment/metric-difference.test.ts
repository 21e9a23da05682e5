import { describe, expect, it } from 'vitest';
import { amountText, changeText, differenceOf, lossBetween } from '../../../src/experiment/shown-metrics';
import { metricInfo, METRICS, type MetricName } from '../../../src/experiment/metrics';

const change = (metric: MetricName, before: number, after: number) =>
  changeText(metric, lossBetween(metric, before, after));

describe('a difference of a metric', () => {
  it('is in points where the scale is fixed, and relative where it follows from the data', () => {
    const relative = METRICS.filter((m) => metricInfo(m).difference === 'relative');
    expect(relative).toEqual(['rmse', 'perplexity', 'loss']);
    // Every other scale is bounded.
    for (const m of METRICS) expect(metricInfo(m).range[1] === Infinity).toBe(relative.includes(m));
  });

  it.each<[MetricName, number, number, string]>([
    ['perplexity', 81, 79.4777, 'perplexity falls by 1.88%'],
    ['perplexity', 79.4777, 81, 'perplexity rises by 1.92%'],
    ['rmse', 200, 250, 'RMSE rises by 25%'],
    ['loss', 0.5, 0.4, 'loss falls by 20%'],
    ['accuracy', 0.75, 0.5, 'accuracy falls by 25 points'],
    ['accuracy', 0.75, 0.76, 'accuracy rises by 1 point'],
    ['matthews', -0.1, 0.05, 'MCC rises by 15 points'],
    ['accuracy', 0.75, 0.75001, 'accuracy does not change'],
    ['loss', 0, 0, 'loss does not change'],
    ['loss', 0, 1e-9, 'loss rises by 100%'],
  ])('of %s from %d to %d: %s', (metric, before, after, words) =>
    expect(change(metric, before, after)).toBe(words),
  );

  it('is a loss if it is for the worse, whichever direction that is', () => {
    expect(lossBetween('perplexity', 81, 79)).toBeLessThan(0);
    expect(lossBetween('perplexity', 79, 81)).toBeGreaterThan(0);
    expect(lossBetween('accuracy', 0.8, 0.79)).toBeCloseTo(1);
    expect(Object.is(lossBetween('accuracy', 0.8, 0.8), 0)).toBe(true);
    expect(differenceOf('perplexity', 2, 80)).toBe(2.5);
    expect(amountText('perplexity', 1)).toBe('1%');
    expect(amountText('f1', 0.5)).toBe('0.5 points');
  });
});
