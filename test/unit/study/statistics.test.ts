import { describe, expect, it } from 'vitest';
import { holm, crossed, exactMcNemar, pairedT } from '../../../src/study/statistics/paired-tests';
import {
  boundOf,
  chanceOf,
  errorOf,
  halfOf,
  detectableDifference,
  power,
} from '../../../src/study/statistics/difference';
import {
  incompleteBeta,
  lnGamma,
  normalCdf,
  criticalT,
  twoSided,
} from '../../../src/study/statistics/distributions';
import { median, summarize } from '../../../src/study/statistics/summary';
import scipy from '../../fixtures/statistics/scipy.json';

const near = (value: number, known: number, relative = 1e-9) =>
  expect(Math.abs(value - known)).toBeLessThanOrEqual(relative * Math.abs(known) + 1e-15);

/** A mean with a standard error of 1. */
const ofOne = (df: number) => [{ variance: 1, df }];

describe('statistics match SciPy', () => {
  it('for the distributions', () => {
    for (const [x, a, b, known] of scipy.incompleteBeta) near(incompleteBeta(x, a, b), known, 1e-8);
    for (const [t, df, known] of scipy.twoSided) near(twoSided(t, df), known, 1e-8);
    for (const [df, alpha, known] of scipy.criticalT) near(criticalT(df, alpha), known, 1e-8);
    for (const [z, known] of scipy.normalCdf) near(normalCdf(z), known, 1e-7);
    expect(lnGamma(5)).toBeCloseTo(Math.log(24), 12);
    expect(lnGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 12);
  });

  it('for the paired t test and its interval', () => {
    for (const [sample, chance, low, high] of scipy.pairedT as [number[], number, number, number][]) {
      const d = pairedT(sample);
      near(chanceOf(d)!, chance, 1e-8);
      expect(d.mean - halfOf(d)).toBeCloseTo(low, 10);
      expect(d.mean + halfOf(d)).toBeCloseTo(high, 10);
      expect(summarize(sample).half).toBeCloseTo(halfOf(d), 12);
    }
  });

  it("for McNemar's exact test and Holm's correction", () => {
    for (const [b, c, known] of scipy.mcNemar) near(exactMcNemar(b, c), known, 1e-8);
    expect(exactMcNemar(0, 0)).toBe(1);
    const [chances, known] = scipy.holm;
    holm(chances).forEach((p, i) => near(p, known[i]));
  });

  it('for the smallest detectable difference, from the noncentral t distribution', () => {
    for (const [df, known] of scipy.detectable) near(detectableDifference(ofOne(df))!, known, 1e-5);
    // Without a true difference, the power equals the level.
    expect(power(0, ofOne(2), 0.05)).toBeCloseTo(0.05, 6);
  });
});

describe('statistics match textbook values', () => {
  it('for t tables', () => {
    // Two-sided 5% for df 1, 2, 10 and infinity.
    expect([1, 2, 10, 1e7].map((df) => criticalT(df, 0.05).toFixed(3))).toEqual([
      '12.706',
      '4.303',
      '2.228',
      '1.960',
    ]);
    expect(detectableDifference(ofOne(1e6))!.toFixed(2)).toBe('2.80');
  });

  it('for a median and for a single value', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
    expect(summarize([0.5])).toEqual({ n: 1, mean: 0.5 });
  });
});

describe('the test over seeds and examples', () => {
  it('equals the t test over seeds if all examples agree', () => {
    const seeds = [0.1, 0.3, 0.35];
    const d = crossed(seeds.map((v) => new Float64Array(50).fill(v)));
    const t = pairedT(seeds);
    expect([d.mean, errorOf(d), halfOf(d)]).toEqual(
      [t.mean, errorOf(t), halfOf(t)].map((v) => expect.closeTo(v, 12)),
    );
    expect(d.parts.map((p) => p.df)).toEqual([2, 49]);
  });

  it('equals the t test over examples if all seeds agree', () => {
    const row = Float64Array.from({ length: 60 }, (_, i) => [0, 1, -1, 0, 1][i % 5]);
    const d = crossed([row, row, row]);
    const t = pairedT(row);
    expect([d.mean, errorOf(d), halfOf(d)]).toEqual(
      [t.mean, errorOf(t), halfOf(t)].map((v) => expect.closeTo(v, 9)),
    );
    expect(chanceOf(d)).toBeCloseTo(chanceOf(t)!, 9);
  });

  it('is never more certain than either alone, and handles the absence of any difference', () => {
    const rows = [0, 1, 2].map((s) => Float64Array.from({ length: 40 }, (_, i) => Math.sin(7 * s + i * i)));
    const d = crossed(rows);
    const bySeed = pairedT(rows.map((r) => r.reduce((a, b) => a + b, 0) / 40));
    const byExample = pairedT(rows[0].map((_, i) => rows.reduce((sum, r) => sum + r[i] / 3, 0)));
    expect(errorOf(d)).toBeGreaterThanOrEqual(Math.max(errorOf(bySeed), errorOf(byExample)) - 1e-12);
    const none = crossed([new Float64Array(9), new Float64Array(9)]);
    expect([errorOf(none), chanceOf(none)]).toEqual([0, undefined]);
  });

  it('has the p-value at which the bound equals the difference', () => {
    const parts = [
      { variance: 1, df: 2 },
      { variance: 3, df: 99 },
    ];
    for (const alpha of [0.6, 0.05, 0.001, 1e-7])
      near(chanceOf({ mean: boundOf(parts, alpha), parts })!, alpha, 1e-8);
    expect(chanceOf({ mean: 1e9, parts })).toBeGreaterThan(0);
    expect(chanceOf({ mean: 1e-12, parts })).toBeCloseTo(1, 9);
  });

  it('is wrong about as often as its level if seeds and examples both vary, unlike a test over seeds alone', () => {
    let state = 7;
    const uniform = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) + 0.5) / 2 ** 32;
    const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const rounds = 400;
    let both = 0;
    let seedsAlone = 0;
    for (let r = 0; r < rounds; r++) {
      const examples = Array.from({ length: 200 }, () => 0.22 * normal());
      const rows = [0, 1, 2].map(() => {
        const seed = 0.01 * normal();
        return Float64Array.from(examples, (e) => seed + e + 0.28 * normal());
      });
      if (chanceOf(crossed(rows))! < 0.05) both++;
      if (chanceOf(pairedT(rows.map((row) => row.reduce((a, b) => a + b, 0) / row.length)))! < 0.05)
        seedsAlone++;
    }
    expect(both / rounds).toBeLessThan(0.08);
    expect(seedsAlone / rounds).toBeGreaterThan(0.08);
  });
});
