import { describe, expect, it } from 'vitest';
import {
  levelFor,
  look,
  type Finding,
  type LookResult,
  type Terms,
  type TestedRun,
  verdictOf,
} from '../../../../src/study/claim/verdict';
import { looksAt } from '../../../../src/study/claim/look-plan';
import { criticalT } from '../../../../src/study/statistics/distributions';
import { meanOf } from '../../../../src/study/statistics/summary';
import known from '../../../fixtures/statistics/claims.json';

const PLAN = { seeds: 5, level: 0.02 };

/** Runs with these differences from runs of 0, known only as a whole; of a metric with any value. */
const whole = (values: readonly number[]): TestedRun[] => values.map((value) => ({ value, examples: 1000 }));
const zeros = (n: number) => whole(new Array<number>(n).fill(0));

/** Losses whose difference has this mean, and an interval of ± `half` at the plan's level. */
function around(mean: number, half: number, plan = PLAN): TestedRun[] {
  const steps = Array.from({ length: plan.seeds }, (_, i) => i - (plan.seeds - 1) / 2);
  const error = Math.sqrt(steps.reduce((a, v) => a + v * v, 0) / (plan.seeds - 1) / plan.seeds);
  const scale = half / (error * criticalT(plan.seeds - 1, 2 * plan.level));
  // A lower loss is better.
  return whole(steps.map((v) => -mean + scale * v));
}

const findingAt = (relation: Terms['relation'], lower: number, upper: number): Finding =>
  look('loss', { relation, by: 1 }, around((lower + upper) / 2, (upper - lower) / 2), zeros(5), PLAN).finding;

describe('a look', () => {
  it("has the bounds of NumPy's mean squares and SciPy's t distribution", () => {
    for (const { rows, bounds } of known.bounds)
      for (const [level, mean, crossed, ofSeeds] of bounds) {
        const plan = { seeds: rows.length, level };
        const terms: Terms = { relation: 'better', by: 1 };
        const first = rows.map((row) => ({
          value: meanOf(row),
          examples: row.length,
          rows: Float64Array.from(row),
        }));
        const than = rows.map((row) => ({
          value: 0,
          examples: row.length,
          rows: new Float64Array(row.length),
        }));
        // Pearson's correlation has no smallest step.
        const both = look('pearson', terms, first, than, plan);
        expect(both.kind).toBe('crossed');
        expect(both.difference).toBeCloseTo(mean, 12);
        expect(both.lower).toBeCloseTo(mean - crossed, 9);
        expect(both.upper).toBeCloseTo(mean + crossed, 9);
        const without = than.map((run, s) => (s === 1 ? { ...run, rows: undefined } : run));
        const seeds = look('pearson', terms, first, without, plan);
        expect(seeds.kind).toBe('seeds');
        expect(seeds.lower).toBeCloseTo(mean - ofSeeds, 9);
        expect(seeds.upper).toBeCloseTo(mean + ofSeeds, 9);
      }
  });

  it('judges a claim of "better" at 0 and at the difference that matters', () => {
    expect(findingAt('better', 0.01, 3)).toBe('supported');
    expect(findingAt('better', -0.01, 3)).toBe('open');
    expect(findingAt('better', -0.01, 1.01)).toBe('open');
    expect(findingAt('better', -0.01, 0.99)).toBe('refuted');
    expect(findingAt('better', -3, -1)).toBe('refuted');
    expect(findingAt('better', 0.01, 0.99)).toBe('small');
    expect(findingAt('better', 0.01, 1.01)).toBe('supported');
  });

  it('judges a claim of "not worse" at minus that difference and at 0', () => {
    expect(findingAt('not-worse', -0.99, 3)).toBe('supported');
    expect(findingAt('not-worse', -1.01, 3)).toBe('open');
    expect(findingAt('not-worse', -1.01, 0.01)).toBe('open');
    expect(findingAt('not-worse', -1.01, -0.01)).toBe('refuted');
    expect(findingAt('not-worse', -0.99, -0.01)).toBe('small');
    expect(findingAt('not-worse', -0.99, 0.01)).toBe('supported');
  });

  it('of "not worse" is the mirror of "better" for the other method', () => {
    const mirrored = { supported: 'refuted', refuted: 'supported', small: 'small', open: 'open' } as const;
    for (const lower of [-1.5, -0.5, 0.5])
      for (const upper of [0.7, 0.9, 1.5]) {
        const a = around((lower + upper) / 2, (upper - lower) / 2);
        const better = look('loss', { relation: 'better', by: 1 }, a, zeros(5), PLAN);
        const other = look('loss', { relation: 'not-worse', by: 1 }, zeros(5), a, PLAN);
        expect(other.finding).toBe(mirrored[better.finding]);
        expect(other.lower).toBeCloseTo(-better.upper, 12);
      }
  });

  it('takes the better side from the metric', () => {
    const [high, low] = [whole([3, 3.1, 3.2, 3, 3.1]), whole([1, 1.1, 1, 1.1, 1])];
    const terms: Terms = { relation: 'better', by: 0.5 };
    expect(look('pearson', terms, high, low, PLAN)).toMatchObject({ finding: 'supported' });
    const loss = look('loss', terms, high, low, PLAN);
    expect(loss.finding).toBe('refuted');
    expect(loss.difference).toBeCloseTo(-2.04, 12);
  });

  it('reads the first seeds of a longer list, at its own level', () => {
    const values = [0.1, 0.3, 0.2, 0.25, 0.15, 9, -9, 9, -9, 9];
    const [first, second] = looksAt([5, 10]).map((plan) =>
      look('pearson', { relation: 'better', by: 1 }, whole(values), zeros(10), plan),
    );
    const half = (criticalT(4, 0.01) * Math.sqrt(0.00625)) / Math.sqrt(5);
    expect(first).toMatchObject({ seeds: 5, level: 0.005, difference: expect.closeTo(0.2, 12) as number });
    expect(first.lower).toBeCloseTo(0.2 - half, 12);
    expect(second).toMatchObject({ seeds: 10, level: 0.02, finding: 'open' });
    for (const looks of [[5, 10], [3, 10], [7]])
      expect(looksAt(looks).reduce((sum, { level }) => sum + level, 0)).toBeCloseTo(0.025, 12);
  });

  it('is open if there is no variance at all', () => {
    const terms: Terms = { relation: 'better', by: 0.01 };
    // Five times 0.1 have a mean that is not exactly 0.1.
    for (const by of [0, 0.25, 0.1, 1 / 3, -0.7])
      for (const relation of ['better', 'not-worse'] as const) {
        const first = whole(new Array<number>(5).fill(by));
        expect(look('pearson', { ...terms, relation }, first, zeros(5), PLAN).finding).toBe('open');
        const rows = (value: number) => ({ value, examples: 50, rows: new Float64Array(50).fill(value) });
        const split = look(
          'loss',
          { ...terms, relation },
          Array(5).fill(rows(by)),
          Array(5).fill(rows(0)),
          PLAN,
        );
        expect(split).toMatchObject({ kind: 'crossed', finding: 'open' });
      }
  });

  it('has at least the variance of one example if the metric counts examples', () => {
    const equal = look(
      'accuracy',
      { relation: 'better', by: 0.01 },
      whole(Array(5).fill(0.5)),
      zeros(5),
      PLAN,
    );
    expect(equal.upper - equal.difference).toBeCloseTo((criticalT(4, 0.04) * 0.001) / Math.sqrt(5), 12);
    expect(equal.finding).toBe('supported');
  });

  it('compares whole runs if their examples differ', () => {
    const rows = (n: number) => ({
      value: 0.5,
      examples: n,
      rows: Float64Array.from({ length: n }, (_, i) => i % 2),
    });
    const than = [50, 50, 50, 50, 48].map(rows);
    expect(
      look('accuracy', { relation: 'better', by: 0.1 }, [50, 50, 50, 50, 50].map(rows), than, PLAN).kind,
    ).toBe('seeds');
  });

  it('rejects too few runs', () => {
    const terms: Terms = { relation: 'better', by: 1 };
    expect(() => look('loss', terms, zeros(4), zeros(5), PLAN)).toThrow(RangeError);
    expect(() => look('loss', terms, zeros(4), zeros(4), { seeds: 1, level: 0.01 })).toThrow(RangeError);
  });
});

describe('several opponents', () => {
  const results = (...findings: Finding[]): LookResult[] =>
    findings.map((finding) => ({
      ...look('loss', { relation: 'better', by: 1 }, zeros(5), zeros(5), PLAN),
      finding,
    }));

  it('give one opponent its own finding', () => {
    for (const finding of ['supported', 'refuted', 'small', 'open'] as const)
      for (const of of ['each', 'any'] as const) expect(verdictOf(results(finding), of)).toBe(finding);
  });

  it('must all be worse for "better than each"', () => {
    expect(verdictOf(results('supported', 'supported'), 'each')).toBe('supported');
    expect(verdictOf(results('supported', 'open'), 'each')).toBe('open');
    expect(verdictOf(results('supported', 'refuted'), 'each')).toBe('refuted');
    expect(verdictOf(results('supported', 'small'), 'each')).toBe('small');
    expect(verdictOf(results('open', 'small'), 'each')).toBe('refuted');
  });

  it('must include a worse one for "better than any"', () => {
    expect(verdictOf(results('supported', 'refuted', 'open'), 'any')).toBe('supported');
    expect(verdictOf(results('open', 'refuted'), 'any')).toBe('open');
    expect(verdictOf(results('refuted', 'refuted'), 'any')).toBe('refuted');
    expect(verdictOf(results('small', 'refuted'), 'any')).toBe('small');
    expect(verdictOf(results('small', 'open'), 'any')).toBe('supported');
  });

  it('share the level of the end by which any of them could be wrong', () => {
    expect(levelFor(PLAN, 1, 'each')).toEqual({ lower: 0.02, upper: 0.02 });
    expect(levelFor(PLAN, 4, 'each')).toEqual({ lower: 0.02, upper: 0.005 });
    expect(levelFor(PLAN, 4, 'any')).toEqual({ lower: 0.005, upper: 0.02 });
    const terms: Terms = { relation: 'better', by: 1 };
    const narrow = look('loss', terms, around(1, 0.5), zeros(5), PLAN);
    const wide = look('loss', terms, around(1, 0.5), zeros(5), PLAN, levelFor(PLAN, 4, 'any'));
    expect(narrow.lower).toBeCloseTo(0.5, 12);
    expect(wide.upper).toBeCloseTo(narrow.upper, 12);
    expect(1 - wide.lower).toBeCloseTo((0.5 * criticalT(4, 0.01)) / criticalT(4, 0.04), 12);
  });
});
