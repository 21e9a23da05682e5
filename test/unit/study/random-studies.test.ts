import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { levelFor, look, type Terms, type TestedRun } from '../../../src/study/claim/verdict';
import { chanceOf, errorOf, halfOf } from '../../../src/study/statistics/difference';
import { crossed, exactMcNemar, holm, pairedT } from '../../../src/study/statistics/paired-tests';
import { ratioOfMeans } from '../../../src/study/statistics/ratio';
import { meanOf, summarize } from '../../../src/study/statistics/summary';
import { studyOf } from '../../../src/study/study';
import { lora, studyRun } from './runs';

type Maybe = number | null;
type StudyAnswer = [
  ...[mean: number, half: number, chance: Maybe, halfBySeeds: number, chanceBySeeds: Maybe, mcNemar: number],
  ...[deviation: number, halfOfOthers: number, ratio: [number, number, number] | null, holm: number[]],
];

/** SciPy's answers; studies.py beside them draws the same studies. */
const known = JSON.parse(gunzipSync(readFileSync('test/fixtures/statistics/studies.json.gz')).toString()) as {
  studies: StudyAnswer[];
  claims: [lower: number, upper: number, finding: string][];
  searches: ([rate: number, seeds: number] | null)[];
};

/** The generator of studies.py. */
class Draws {
  constructor(private state: number) {}

  below(n: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor(((this.state >>> 8) * n) / 2 ** 24);
  }

  about(spread: number): number {
    let sum = 0;
    for (let i = 0; i < 4; i++) sum += this.below(2 * spread + 1) - spread;
    return sum / 4096;
  }
}

const times = <T>(n: number, of: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => of(i));

function drawRows(draws: Draws): { rows: Float64Array[]; whole: boolean } {
  const [S, N] = [2 + draws.below(5), 2 + draws.below(30)];
  const whole = draws.below(3) === 0;
  const [shift, ofSeed, ofExample, ofRest] = times(4, () => draws.below(4) * 100);
  const seeds = times(S, () => draws.about(ofSeed));
  const examples = times(N, () => draws.about(ofExample));
  const rows = seeds.map((s) => examples.map((e) => shift / 4096 + s + e + draws.about(ofRest)));
  const counts = () => (draws.below(3) === 0 ? draws.below(3) - 1 : 0);
  return { rows: rows.map((row) => Float64Array.from(whole ? row.map(counts) : row)), whole };
}

/** Both have other roundings, which a difference of 0 leaves alone. */
function expectNear(value: number | undefined, answer: Maybe, what: string, digits = 7): void {
  const isNear =
    answer === null
      ? value === undefined
      : value !== undefined && Math.abs(value - answer) <= 10 ** -digits * Math.abs(answer) + 1e-11;
  expect(isNear, `${what}: ${value} instead of ${answer}`).toBe(true);
}

describe('1,000 random studies have the numbers of SciPy', () => {
  it.each(known.studies.map((answer, seed) => [seed, answer] as const))('study %i', (seed, answer) => {
    const draws = new Draws(seed);
    const { rows, whole } = drawRows(draws);
    const [mean, half, chance, halfBySeeds, chanceBySeeds, mcNemar, deviation, ofOthers, ratio, adjusted] =
      answer;
    const resolution = whole ? 1 / rows[0].length : 0;
    const both = crossed(rows, resolution);
    const means = rows.map(meanOf);
    const seeds = pairedT(means, resolution);
    expectNear(both.mean, mean, 'mean');
    expectNear(halfOf(both), half, 'half');
    expectNear(chanceOf(both), chance, 'p');
    expectNear(halfOf(seeds), halfBySeeds, 'half by seeds');
    expectNear(chanceOf(seeds), chanceBySeeds, 'p by seeds');
    const count = (sign: number) => rows[0].filter((v) => Math.sign(v) === sign).length;
    expectNear(exactMcNemar(count(1), count(-1)), mcNemar, 'McNemar');
    const others = means.map(() => 1 + draws.about(300));
    const summary = summarize(others);
    expectNear(summary.deviation, deviation, 'deviation');
    expectNear(summary.half, ofOthers, "others' half");
    const found = ratioOfMeans(means, others);
    if (ratio === null) expect(found).toBeUndefined();
    else
      [found!.value, found!.low, found!.high].forEach((v, i) => expectNear(v, ratio[i], 'ratio of means', 6));
    const chances = times(1 + draws.below(8), () => draws.below(1000) / 10_000);
    holm(chances).forEach((p, i) => expectNear(p, adjusted[i], 'Holm'));
    if (chance === null) expect(errorOf(both)).toBe(0);
    expect(errorOf(both)).toBeGreaterThanOrEqual(errorOf(seeds) * (1 - 1e-12));
  });
});

describe('812 looks of claims have the bounds and findings of SciPy', () => {
  it.each(known.claims.map((answer, i) => [i, ...answer] as const))(
    'claim %i',
    (i, lower, upper, finding) => {
      const draws = new Draws(10_000 + i);
      const { rows, whole } = drawRows(draws);
      const relation = draws.below(2) === 0 ? 'better' : 'not-worse';
      const terms: Terms = { relation, by: (1 + draws.below(4000)) / 4096 };
      const level = (1 + draws.below(20)) / 400;
      const [count, of] = [1 + draws.below(3), draws.below(2) === 0 ? 'each' : 'any'] as const;
      const runs = (of: Float64Array[]): TestedRun[] =>
        of.map((row) => ({ value: meanOf(row), examples: row.length, rows: row }));
      const plan = { seeds: rows.length, level };
      const others = rows.map((row) => new Float64Array(row.length));
      const metric = whole ? 'accuracy' : 'pearson';
      const result = look(metric, terms, runs(rows), runs(others), plan, levelFor(plan, count, of));
      expectNear(result.lower, lower, 'lower');
      expectNear(result.upper, upper, 'upper');
      expect(result.finding).toBe(finding);
    },
  );
});

describe('300 searches of learning rates', () => {
  it.each(known.searches.map((answer, i) => [i, answer] as const))('search %i', (i, answer) => {
    const draws = new Draws(20_000 + i);
    const drawn = times(2 + draws.below(4), () => Number(`${1 + draws.below(3) * 3}e-${1 + draws.below(4)}`));
    const runs = [...new Set(drawn)].flatMap((learningRate) =>
      [1, 2, 3, 4].flatMap((seed) => {
        const isThere = draws.below(8) > 0 || seed === 1;
        if (!isThere) return [];
        return [studyRun(lora(), seed, (600 + 8 * draws.below(3)) / 1024, { training: { learningRate } })];
      }),
    );
    const [{ searches }] = studyOf(runs, { metric: 'accuracy' }).sections;
    if (answer === null) return expect(searches).toEqual([]);
    const [{ tried, seeds }] = searches;
    expect([tried.find((t) => t.chosen)!.learningRate, seeds.length]).toEqual(answer);
  });
});
