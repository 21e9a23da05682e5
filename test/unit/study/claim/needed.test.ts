import { describe, expect, it } from 'vitest';
import { needed } from '../../../../src/study/claim/needed';
import { differenceIn, type TestedRun } from '../../../../src/study/claim/verdict';
import { boundOf } from '../../../../src/study/statistics/difference';
import { criticalT } from '../../../../src/study/statistics/distributions';
import { meanOf, summarize } from '../../../../src/study/statistics/summary';
import { Draws } from '../simulation';

const PLAN = { seeds: 10, level: 0.02 };

/** Runs of ten seeds against runs of 0, with these standard deviations of seeds, of examples, and of both together. */
function runs(n: number, ofSeeds: number, ofExamples: number, rest: number) {
  const draws = new Draws(7);
  const shared = Float64Array.from({ length: n }, () => ofExamples * draws.normal());
  const first: TestedRun[] = Array.from({ length: 10 }, () => {
    const seed = ofSeeds * draws.normal();
    const rows = shared.map((v) => v + seed + rest * draws.normal());
    return { value: meanOf(rows), examples: n, rows };
  });
  return { first, than: first.map(() => ({ value: 0, examples: n, rows: new Float64Array(n) })) };
}

const neededBy = (by: number, { first, than }: ReturnType<typeof runs>) =>
  needed('pearson', { relation: 'better', by }, first, than, PLAN);

describe('what an open claim needs', () => {
  it('is the smallest number of seeds whose interval is narrower than the difference that matters', () => {
    const all = runs(400, 0.1, 0, 0.5);
    const { seeds, examples } = neededBy(0.06, all);
    expect(examples).toBeUndefined();
    const [bySeed, ofExamples] = differenceIn('pearson', all.first, all.than, 10).difference.parts;
    const width = (s: number) =>
      2 * boundOf([{ variance: (bySeed.variance * 10) / s, df: s - 1 }, ofExamples], 0.04);
    expect(width(seeds!)).toBeLessThan(0.06);
    expect(width(seeds! - 1)).toBeGreaterThanOrEqual(0.06);
    expect(seeds).toBeGreaterThan(10);
  });

  it('is more seeds too where no examples are known', () => {
    const { first, than } = runs(400, 0.1, 0, 0.5);
    const bare = { first: first.map(({ value }) => ({ value, examples: 400 })), than } as ReturnType<
      typeof runs
    >;
    const { seeds, examples } = neededBy(0.06, bare);
    expect(examples).toBeUndefined();
    const { variance } = differenceIn('pearson', bare.first, than, 10).difference.parts[0];
    const width = (s: number) => 2 * boundOf([{ variance: (variance * 10) / s, df: s - 1 }], 0.04);
    expect(width(seeds!)).toBeLessThan(0.06);
    expect(width(seeds! - 1)).toBeGreaterThanOrEqual(0.06);
  });

  it('is more examples if these alone make the interval too wide', () => {
    const all = runs(100, 0, 1, 0.01);
    const { seeds, examples } = neededBy(0.1, all);
    expect(seeds).toBe(10);
    // The spread by chance for each seed and example is negligible.
    const variance = summarize([...all.first[0].rows!]).deviation! ** 2;
    const width = (n: number) => 2 * criticalT(n - 1, 0.04) * Math.sqrt(variance / n);
    expect(width(1.01 * examples!)).toBeLessThan(0.1);
    expect(width(0.99 * examples!)).toBeGreaterThan(0.1);
    expect(examples).toBeGreaterThan(1000);
  });

  it('is more of both if neither alone is enough', () => {
    const { seeds, examples } = neededBy(0.1, runs(100, 0.1, 1, 0.5));
    expect(seeds).toBeGreaterThan(10);
    expect(Math.log2(seeds! / 10) % 1).toBe(0);
    expect(examples).toBeGreaterThan(100);
  });

  it('is unknown if nothing is enough, or nothing varied', () => {
    expect(neededBy(1e-6, runs(100, 0.1, 0, 0.5))).toEqual({});
    expect(neededBy(0.1, runs(100, 0, 0, 0))).toEqual({});
  });
});
