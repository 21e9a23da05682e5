import { describe, expect, it } from 'vitest';
import { METRICS, senseOf } from '../../../../src/experiment/metrics';
import { generalizes } from '../../../../src/study/claim/pseudo-values';
import type { Model } from '../simulation';
import {
  Draws,
  drawExamples,
  expected,
  lazyAnswers,
  MODELS,
  runOf,
  SIMULATED,
  simulateVerdicts,
  trueDifference,
} from './simulation';

// A short part of `npm run simulate:study -- --claims`, which makes the tables in docs/claims.md.
describe('wrong verdicts, with all looks', () => {
  const uneven = { ...MODELS.seeds, run: 0.15 };
  const cells: [string, number, Model, number, number[]][] = [
    ['runs that differ at each example', 100, MODELS.noise, 80, [5, 10]],
    ['seeds that differ as a whole', 100, uneven, 80, [5, 10]],
    ['methods that are good at different texts', 150, MODELS.texts, 80, [5, 10]],
    ['a single look after three seeds', 100, uneven, 80, [3]],
    ['looks far apart', 100, uneven, 80, [3, 10]],
  ];
  it.each(cells)('are no more than their level for %s', (_, examples, model, claims, looks) => {
    const draws = new Draws(examples);
    const columns = SIMULATED.filter((metric) => generalizes(metric, examples)).map((metric) => ({
      metric,
      predictions: true,
    }));
    const [supported, refuted] = [0, 1].map(() => columns.map(() => 0));
    for (let i = 0; i < claims; i++) {
      const [none, asClaimed] = simulateVerdicts(
        { examples, model, by: 0.2, looks },
        [0, 0.2],
        columns,
        draws,
      );
      none.forEach((f, c) => (supported[c] += Number(f === 'supported' || f === 'small')));
      asClaimed.forEach((f, c) => (refuted[c] += Number(f === 'refuted' || f === 'small')));
    }
    // Three standard errors more than 2.5%.
    const most = 0.025 * claims + 3 * Math.sqrt(0.025 * claims);
    columns.forEach(({ metric }, c) => {
      expect(supported[c], `${metric} supported`).toBeLessThanOrEqual(most);
      expect(refuted[c], `${metric} refuted`).toBeLessThanOrEqual(most);
    });
  });

  it('would be many without regard to the texts that methods are good at', () => {
    const draws = new Draws(4);
    const columns = [{ metric: 'loss', predictions: false } as const];
    let wrong = 0;
    for (let i = 0; i < 100; i++) {
      const cell = { examples: 100, model: { ...MODELS.texts, texts: 1 }, by: 0.2 };
      const [[finding]] = simulateVerdicts(cell, [0], columns, draws);
      wrong += Number(finding === 'supported' || finding === 'small');
    }
    expect(wrong).toBeGreaterThan(15);
  });

  it('are simulated for all metrics whose verdicts are said to hold for other examples', () => {
    // Shares of right answers, which are accuracies of written texts.
    const sameAsAccuracy = ['exactMatch', 'lastNumber'];
    const known = METRICS.filter((metric) => generalizes(metric, 10_000) && !sameAsAccuracy.includes(metric));
    // These are simulated too, and refuted too often with 100 texts.
    expect([...known, 'perplexity', 'spearman'].sort()).toEqual([...SIMULATED].sort());
    expect([100, 500].map((examples) => generalizes('pearson', examples))).toEqual([false, true]);
  });
});

describe('true differences', () => {
  it('are those of many simulated examples', () => {
    const n = 40_000;
    const draws = new Draws(9);
    const { noise } = MODELS;
    const examples = drawExamples(n, draws);
    const spread = Math.sqrt(1 + noise.bySeed ** 2 + noise.noise ** 2);
    const deviations = Float64Array.from({ length: n }, () => spread * draws.normal());
    for (const metric of SIMULATED) {
      const [before, after] = [0, 0.2].map(
        (whole) => runOf(metric, lazyAnswers(examples, { whole, deviations }, noise), examples).value,
      );
      const known = trueDifference(metric, noise, 0.2);
      const found = senseOf(metric) * (after - before);
      expect(Math.abs(found / known - 1), metric).toBeLessThan(0.07);
      expect(Math.abs(before / expected(metric, noise, 0) - 1), metric).toBeLessThan(0.03);
    }
  });
});
