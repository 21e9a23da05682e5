import { describe, expect, it } from 'vitest';
import { chanceOf, errorOf, halfOf, power } from '../../../src/study/statistics/difference';
import { crossed, pairedT } from '../../../src/study/statistics/paired-tests';
import { summarize } from '../../../src/study/statistics/summary';
import { aurora, lora, outcomes, studyRun } from './runs';
import {
  chanceIn,
  compared,
  Draws,
  MODELS,
  simulateRuns,
  withoutPredictions,
  type Model,
} from './simulation';

describe('differences that happen to be equal', () => {
  it('have at least the variance of one example', () => {
    const d = pairedT([0.03, 0.03], 0.01);
    expect(errorOf(d)).toBeCloseTo(0.01 / Math.SQRT2, 12);
    expect(chanceOf(d)).toBeGreaterThan(0.1);
    expect(halfOf(d)).toBeGreaterThan(0.08);
    // A larger observed spread is used as it is.
    expect(pairedT([0.01, 0.05], 0.01)).toEqual(pairedT([0.01, 0.05]));
  });

  it('do not imply certainty, even with predictions', () => {
    const rows = [0, 1].map((s) => Float64Array.from({ length: 100 }, (_, i) => Number((i + s) % 25 === 0)));
    expect(halfOf(crossed(rows, 0.01))).toBeGreaterThan(halfOf(crossed(rows)));
    expect(chanceOf(crossed(rows, 0.01))).toBeGreaterThan(0.05);
  });

  it('are not tested for a metric without a smallest step', () => {
    const runs = [1, 2].flatMap((seed) => [studyRun(lora(), seed, 0.6), studyRun(aurora(), seed, 0.6)]);
    for (const run of runs) run.metrics.loss = run.spec.adapter.method === 'lora' ? 0.5 : 0.25;
    const c = compared(runs, 'loss');
    expect(c).toMatchObject({ kind: 'seeds', mean: -0.25 });
    expect([c.chance, c.half, c.detectable]).toEqual([undefined, undefined, undefined]);
  });

  it("still give a group's mean an interval", () => {
    expect(summarize([0.5, 0.5], 0.01).half).toBeCloseTo((12.7062047 * 0.01) / Math.SQRT2, 8);
    expect(summarize([0.5, 0.5], 0.01).deviation).toBe(0);
  });
});

describe('if the methods do not differ', () => {
  /**
   * The distribution of the number of examples by which two methods differ in a seed: Skellam's, the
   * difference of two Poisson variables.
   */
  function skellam(variance: number): [number, number][] {
    const poisson = [Math.exp(-variance / 2)];
    for (let k = 1; k < 60; k++) poisson.push((poisson[k - 1] * variance) / 2 / k);
    const most = Math.ceil(6 * Math.sqrt(variance)) + 4;
    return Array.from({ length: 2 * most + 1 }, (_, i) => {
      const by = i - most;
      return [by, poisson.reduce((sum, p, k) => sum + p * (poisson[k + by] ?? 0), 0)];
    });
  }

  it.each([
    [2, [0.5, 1, 2, 4, 8, 16, 32]],
    [3, [0.5, 1, 2, 4, 8]],
    [5, [0.3, 0.8]],
  ])('%i seeds cause no more false alarms than the level, counted exactly', (seeds, variances) => {
    for (const variance of variances) {
      const alarms = [0, 0];
      const each = skellam(variance).filter(([, p]) => p > 1e-6);
      const visit = (differences: number[], chance: number): void => {
        if (chance < 1e-9) return;
        if (differences.length < seeds) {
          for (const [by, p] of each) visit([...differences, by], chance * p);
          return;
        }
        const p = chanceOf(pairedT(differences, 1))!;
        if (p < 0.05) alarms[0] += chance;
        if (p < 0.001) alarms[1] += chance;
      };
      visit([], 1);
      expect(alarms[0]).toBeLessThanOrEqual(0.05);
      expect(alarms[1]).toBeLessThanOrEqual(0.001);
    }
  });

  // A short part of `npm run simulate:study`, which makes the table in docs/study.md. Allows three standard
  // errors.
  const cells: [string, number, number, Model, number][] = [
    ['runs that differ at each example', 2, 100, MODELS.noise, 600],
    ['runs that differ at each example', 3, 500, MODELS.noise, 600],
    ['seeds that differ as a whole', 2, 1000, { ...MODELS.seeds, run: 0.15 }, 600],
    ['methods that are good at different texts', 5, 500, MODELS.texts, 400],
  ];
  it.each(cells)(
    'a simulation of %s stays within the level: %i seeds, %i examples',
    (_, seeds, examples, model, studies) => {
      const draws = new Draws(seeds * examples);
      const alarms = { with: [0, 0], without: [0, 0] };
      for (let i = 0; i < studies; i++) {
        const runs = simulateRuns({ seeds, examples, model }, draws);
        const chances = {
          with: chanceIn(runs, 'accuracy')!,
          without: chanceIn(withoutPredictions(runs), 'accuracy')!,
        };
        for (const key of ['with', 'without'] as const)
          [0.05, 0.001].forEach((level, k) => (alarms[key][k] += Number(chances[key] < level)));
      }
      const most = [0.05, 0.001].map((level) => studies * level + 3 * Math.sqrt(studies * level));
      // Without predictions, the test only applies to these particular texts, on which such methods do differ.
      const judged = model.texts > 0 ? [alarms.with] : [alarms.with, alarms.without];
      for (const found of judged)
        found.forEach((n, k) => expect(n, `${n} of ${studies}`).toBeLessThanOrEqual(most[k]));
    },
  );

  it('the simulation uses the same tests as a study', () => {
    const draws = new Draws(5);
    const runs = simulateRuns({ seeds: 3, examples: 200, model: MODELS.texts }, draws);
    for (const read of [runs, withoutPredictions(runs)])
      for (const metric of ['accuracy', 'f1', 'loss'] as const)
        expect(chanceIn(read, metric)).toBe(compared(read, metric).chance);
  });
});

describe('a true difference', () => {
  it('is detected as often as the study predicts', () => {
    const draws = new Draws(11);
    const studies = 300;
    const found = { seen: 0, power: 0 };
    for (let i = 0; i < studies; i++) {
      const runs = simulateRuns({ seeds: 3, examples: 500, model: MODELS.noise, difference: 0.35 }, draws);
      if (chanceIn(withoutPredictions(runs), 'accuracy')! < 0.05) found.seen++;
    }
    // The spread of a difference, estimated from enough studies.
    const differences = Array.from({ length: 300 }, () => {
      const runs = simulateRuns({ seeds: 1, examples: 500, model: MODELS.noise, difference: 0.35 }, draws);
      return runs[1].metrics.accuracy! - runs[0].metrics.accuracy!;
    });
    const { mean, deviation } = summarize(differences);
    found.power = power(mean, [{ variance: deviation! ** 2 / 3, df: 2 }], 0.05);
    expect(Math.abs(found.seen / studies - found.power)).toBeLessThan(0.1);
    expect(found.power).toBeGreaterThan(0.6);
  });

  it('is detected with a power between those of seeds and examples alone', () => {
    const [seeds, examples] = [
      { variance: 1, df: 2 },
      { variance: 1, df: 999 },
    ];
    const both = power(6, [seeds, examples], 0.05);
    expect(both).toBeLessThan(power(6, [{ ...examples, variance: 2 }], 0.05));
    expect(both).toBeGreaterThan(power(6, [{ ...seeds, variance: 2 }], 0.05));
    expect(power(0, [seeds, examples], 0.05)).toBeLessThan(0.05);
  });

  it('is found if all examples of all seeds agree', () => {
    const runs = [1, 2, 3].flatMap((seed) => [
      studyRun(lora(), seed, 0.5, { examples: outcomes(1000, 500, seed) }),
      studyRun(aurora(), seed, 0.8, { examples: outcomes(1000, 800, seed) }),
    ]);
    expect(compared(runs, 'accuracy')).toMatchObject({
      kind: 'crossed',
      mean: expect.closeTo(0.3, 9) as number,
    });
    expect(compared(runs, 'accuracy').chance).toBeLessThan(0.001);
  });
});
