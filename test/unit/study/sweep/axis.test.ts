import { describe, expect, it } from 'vitest';
import { numberAxis, settingAxes, settingAxis } from '../../../../src/study/sweep/axis';

const kind = (...values: unknown[]) => settingAxis('k', 'k', values).kind;

describe('the axis of a setting', () => {
  it('is logarithmic if its values are spaced by factors, linear if by differences, else of categories', () => {
    expect(kind(1e-4, 3e-4, 1e-3)).toBe('log');
    expect(kind(1, 2, 4, 8)).toBe('log');
    expect(kind(1e-5, 1e-2)).toBe('log');
    expect(kind(1, 2, 3)).toBe('linear');
    expect(kind(2, 4, 6, 8, 10)).toBe('linear');
    expect(kind(0, 1, 10, 100)).toBe('linear');
    expect(kind('lora', 'aurora')).toBe('category');
    expect(kind(1, 'auto')).toBe('category');
    expect(kind(true, false)).toBe('category');
    expect(kind(['query'], ['query', 'value'])).toBe('category');
    expect(settingAxis('k', 'k', [0.1, 0.11, 0.15], true).kind).toBe('log');
    // A drawn scale cannot have a zero, but a list beside it can.
    expect(settingAxis('k', 'k', [0, 1], true).kind).toBe('linear');
  });

  it('places values from 0 to 1, and a missing one nowhere', () => {
    const rates = settingAxis('training.learningRate', 'lr', [1e-4, 1e-3, 1e-2, undefined]);
    expect(rates.at(1e-4)).toBe(0);
    expect(rates.at(1e-3)).toBeCloseTo(0.5);
    expect(rates.at(1e-2)).toBe(1);
    expect(rates.at(undefined)).toBeUndefined();
    expect(rates.ticks.map((tick) => tick.label)).toEqual(['1e-4', '1e-3', '1e-2']);
    const methods = settingAxis('m', 'm', ['b', 'a', 'c', 'a']);
    expect(['b', 'a', 'c', 'd'].map((v) => methods.at(v))).toEqual([0, 0.5, 1, undefined]);
    expect(settingAxis('k', 'k', [7]).at(7)).toBe(0.5);
  });

  it('labels the ends and round values between them where there are many', () => {
    const drawn = settingAxis(
      'lr',
      'lr',
      Array.from({ length: 50 }, (_, i) => 2e-4 * 1.09 ** i),
      true,
    );
    const labels = drawn.ticks.map((tick) => Number(tick.label));
    expect(labels[0]).toBe(2e-4);
    expect(labels).toContain(0.001);
    expect(labels.length).toBeLessThan(6);
    const metric = numberAxis('m', 'm', [0.513, 0.607, 0.844]);
    expect(metric.ticks.map((tick) => tick.label)).toEqual(['0.513', '0.6', '0.7', '0.8', '0.844']);
    expect(numberAxis('m', 'm', []).ticks).toEqual([]);
  });

  it('has the shortest name that distinguishes it', () => {
    const axes = settingAxes(['adapter.rank', 'training.seed'], [], [{ settings: { 'adapter.rank': 2 } }]);
    expect(axes.map((a) => [a.label, a.values])).toEqual([
      ['rank', [2]],
      ['seed', []],
    ]);
  });
});
