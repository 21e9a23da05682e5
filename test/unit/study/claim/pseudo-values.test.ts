import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MetricName } from '../../../../src/experiment/metrics';
import { pearson, rootMeanSquaredError, spearman } from '../../../../src/experiment/scores/regression';
import type { Answers } from '../../../../src/protocol/answers/kinds';
import type { PictureAnswers } from '../../../../src/protocol/answers/picture';
import { testedRun } from '../../../../src/study/claim/pseudo-values';
import { meanOf } from '../../../../src/study/statistics/summary';
import { ConfusionMatrix } from '../../../../src/tasks/metrics/confusion';
import { MultiLabelScores } from '../../../../src/tasks/metrics/multi-label';
import known from '../../../fixtures/statistics/claims.json';
import { labelAnswers, labelSetAnswers, numberAnswers, spanAnswers, textAnswers } from './answers';

/** The rows of a run are the known pseudo-values, shifted so that their mean is the metric. */
function expectRows(metric: MetricName, answers: Answers, value: number, pseudo: readonly number[]): void {
  const { rows, examples } = testedRun(metric, answers, value);
  expect(examples).toBe(pseudo.length);
  expect(meanOf(rows!)).toBeCloseTo(value, 10);
  const shift = value - meanOf(pseudo);
  pseudo.forEach((p, i) => expect(rows![i]).toBeCloseTo(p + shift, 8));
}

/** By computing the metric again without each example. */
const bruteForce = (n: number, metric: (kept: readonly number[]) => number): number[] => {
  const all = Array.from({ length: n }, (_, i) => i);
  return all.map((i) => n * metric(all) - (n - 1) * metric(all.filter((k) => k !== i)));
};

function matrixOf(truth: readonly number[], predicted: readonly number[], labels: number): ConfusionMatrix {
  const matrix = new ConfusionMatrix(labels);
  truth.forEach((label, i) => matrix.add(label, predicted[i]));
  return matrix;
}

function labelSetScores(truth: readonly number[][], predicted: readonly number[][]): MultiLabelScores {
  const scores = new MultiLabelScores(truth[0].length);
  truth.forEach((row, i) =>
    scores.add(
      row,
      predicted[i].map((is) => (is ? 1 : -1)),
    ),
  );
  return scores;
}

const pick = <T>(values: readonly T[], kept: readonly number[]): T[] => kept.map((i) => values[i]);

describe("pseudo-values match scikit-learn's and SciPy's metrics without each example", () => {
  it('for one label per example', () => {
    for (const { labels, truth, predicted, pseudoValues } of known.labels) {
      const matrix = matrixOf(truth, predicted, labels);
      for (const metric of ['f1', 'macroF1', 'weightedF1', 'matthews'] as const)
        expectRows(metric, labelAnswers(truth, predicted, labels), matrix[metric](), pseudoValues[metric]);
    }
  });

  it('for several labels per example', () => {
    const { truth, predicted, pseudoValues } = known.labelSets;
    const answers = labelSetAnswers(truth, predicted);
    for (const metric of ['microF1', 'macroF1'] as const) {
      expectRows(metric, answers, labelSetScores(truth, predicted)[metric](), pseudoValues[metric]);
    }
  });

  it('for numbers, also where many are equal', () => {
    const metrics = { pearson, spearman, rmse: rootMeanSquaredError };
    for (const { truth, predicted, pseudoValues } of known.numbers)
      for (const metric of ['pearson', 'spearman', 'rmse'] as const)
        expectRows(
          metric,
          numberAnswers(truth, predicted),
          metrics[metric](truth, predicted),
          pseudoValues[metric],
        );
  });

  it('for tokens, of which each text has another number', () => {
    const { loss, answered, right, pseudoValues } = known.tokens;
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    const mean = sum(loss.map((l, i) => l * answered[i])) / sum(answered);
    const answers = textAnswers(loss, answered, right);
    expectRows('loss', answers, mean, pseudoValues.loss);
    expectRows('perplexity', answers, Math.exp(mean), pseudoValues.perplexity);
    expectRows('tokenAccuracy', answers, sum(right) / sum(answered), pseudoValues.tokenAccuracy);
  });
});

describe('pseudo-values match the metric that is computed again without each example', () => {
  const size = { minLength: 3, maxLength: 25 };

  it('for any labels, also those that occur once', () => {
    const label = fc.integer({ min: 0, max: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(label, label), size), (pairs) => {
        const [truth, said] = [pairs.map(([l]) => l), pairs.map(([, p]) => p)];
        for (const metric of ['f1', 'macroF1', 'weightedF1', 'matthews'] as const) {
          const of = (kept: readonly number[]) => matrixOf(pick(truth, kept), pick(said, kept), 4)[metric]();
          const value = matrixOf(truth, said, 4)[metric]();
          expectRows(metric, labelAnswers(truth, said, 4), value, bruteForce(truth.length, of));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('for any sets of labels, also empty ones', () => {
    const set = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(set, set), size), (pairs) => {
        const [truth, said] = [pairs.map(([l]) => l), pairs.map(([, p]) => p)];
        for (const metric of ['microF1', 'macroF1'] as const) {
          const of = (kept: readonly number[]) =>
            labelSetScores(pick(truth, kept), pick(said, kept))[metric]();
          const value = labelSetScores(truth, said)[metric]();
          expectRows(metric, labelSetAnswers(truth, said), value, bruteForce(truth.length, of));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('for numbers, also if all others are equal', () => {
    const number = fc.integer({ min: 0, max: 3 }).map((n) => 0.1 * n);
    const metrics = { pearson, spearman, rmse: rootMeanSquaredError };
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number), size), (pairs) => {
        const [truth, said] = [pairs.map(([l]) => l), pairs.map(([, p]) => p)];
        for (const metric of ['pearson', 'spearman', 'rmse'] as const) {
          const of = (kept: readonly number[]) => metrics[metric](pick(truth, kept), pick(said, kept));
          const value = metrics[metric](truth, said);
          expectRows(metric, numberAnswers(truth, said), value, bruteForce(truth.length, of));
        }
      }),
    );
  });

  it('for the entities of texts', () => {
    const truth = [
      [1, 1, 0],
      [0, 0, 0],
      [1, 0, 1],
      [0, 1, 0],
    ];
    const said = [
      [1, 0, 0],
      [0, 0, 0],
      [1, 1, 1],
      [0, 0, 1],
    ];
    const counts = (kept: readonly number[]) => {
      const cells = kept.flatMap((i) => truth[i].map((is, at) => [is, said[i][at]]));
      const count = (is: number, as: number) => cells.filter(([a, b]) => a === is && b === as).length;
      return { found: count(1, 1), missed: count(1, 0), spurious: count(0, 1) };
    };
    const metrics = {
      entityF1: ({ found: f, missed, spurious }: ReturnType<typeof counts>) =>
        (2 * f) / (2 * f + missed + spurious),
      entityPrecision: ({ found: f, spurious }: ReturnType<typeof counts>) => f / (f + spurious),
      entityRecall: ({ found: f, missed }: ReturnType<typeof counts>) => f / (f + missed),
    };
    for (const [metric, of] of Object.entries(metrics)) {
      const value = of(counts([0, 1, 2, 3]));
      const pseudo = bruteForce(4, (kept) => of(counts(kept)));
      expectRows(metric as MetricName, spanAnswers(truth, said), value, pseudo);
    }
  });
});

describe('the rows of a run', () => {
  const answers = labelAnswers([0, 1, 1, 0], [0, 1, 0, 0], 2, [0.1, 0.2, 0.9, 0.4]);

  it("are the examples' own values for a mean over them", () => {
    expect([...testedRun('accuracy', answers, 0.75).rows!]).toEqual([1, 1, 0, 1]);
    const { rows } = testedRun('loss', answers, 0.4);
    [0.1, 0.2, 0.9, 0.4].forEach((loss, i) => expect(rows![i]).toBeCloseTo(loss, 12));
  });

  it('have the metric as their mean, although losses are stored rounded', () => {
    const { rows, value } = testedRun('loss', answers, 0.40003);
    expect(meanOf(rows!)).toBeCloseTo(0.40003, 12);
    expect(value).toBe(0.40003);
  });

  it('are one for each image, not for each amount of noise', () => {
    const n = 6;
    const pictures: PictureAnswers = {
      answer: 'picture',
      labels: [],
      columns: {
        line: Uint32Array.of(1, 1, 1, 2, 2, 2),
        loss: Float64Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
        margin: new Float64Array(n),
        tokens: new Uint32Array(n),
        cut: new Uint8Array(n),
        timestep: new Uint32Array(n),
      },
    };
    const { rows, examples } = testedRun('loss', pictures, 0.35);
    expect(examples).toBe(2);
    expect([...rows!].map((v) => v.toFixed(9))).toEqual(['0.200000000', '0.500000000']);
  });

  it('are unknown for metrics that cannot be split, or are not of these predictions', () => {
    expect(testedRun('top5Accuracy', answers, 1)).toEqual({ value: 1, examples: 4 });
    expect(testedRun('pearson', answers, 1)).toEqual({ value: 1, examples: 4 });
    expect(testedRun('accuracy', answers, 0.5)).toEqual({ value: 0.5, examples: 4 });
    // Without the only text that has tokens, there is no perplexity.
    const tokens = textAnswers([0.5, 0], [3, 0], [1, 0]);
    expect(testedRun('perplexity', tokens, Math.exp(0.5))).toEqual({ value: Math.exp(0.5), examples: 2 });
    expect(testedRun('loss', spanAnswers([[1]], [[1]]), 0).rows).toBeUndefined();
  });
});
