import { describe, expect, it } from 'vitest';
import { ConfusionMatrix } from '../../src/tasks/metrics/confusion';
import { pearson, spearman, rootMeanSquaredError } from '../../src/experiment/scores/regression';
import { MultiLabelScores } from '../../src/tasks/metrics/multi-label';
import { perplexity, TokenAccuracy } from '../../src/tasks/metrics/token-scores';
import { TopKAccuracy } from '../../src/tasks/metrics/accuracy';
import { IGNORE_LABEL } from '../../src/tasks/objective';
import { crossEntropy } from '../../src/tasks/softmax';
import { spanScores } from '../unit/tasks/tagged';
import { METRIC_CASES, TAGS, type MetricCase } from './metric-cases';
import { onPython, python } from './python';

const TOLERANCE = 1e-9;

/** Our metrics, named as in metrics.py. */
function ours(c: MetricCase): Record<string, number> {
  switch (c.kind) {
    case 'classes': {
      const matrix = new ConfusionMatrix(c.labels);
      c.truth.forEach((label, i) => matrix.add(label, c.predicted[i]));
      return {
        accuracy: matrix.accuracy(),
        f1: matrix.f1(),
        macroF1: matrix.macroF1(),
        weightedF1: matrix.weightedF1(),
        matthews: matrix.matthews(),
      };
    }
    case 'values':
      return {
        pearson: pearson(c.truth, c.predicted),
        spearman: spearman(c.truth, c.predicted),
        rmse: rootMeanSquaredError(c.truth, c.predicted),
      };
    case 'label sets': {
      const scores = new MultiLabelScores(c.truth[0].length);
      c.truth.forEach((labels, i) => scores.add(labels, c.logits[i]));
      return {
        microF1: scores.microF1(),
        macroF1: scores.macroF1(),
        meanAveragePrecision: scores.meanAveragePrecision(),
      };
    }
    case 'top 5': {
      const top = new TopKAccuracy(5);
      c.truth.forEach((label, i) => top.add(label, c.logits[i]));
      return { top5Accuracy: top.accuracy() };
    }
    case 'tokens': {
      const accuracy = new TokenAccuracy(1);
      const losses: number[] = [];
      for (const { labels, logits } of c.texts) {
        accuracy.add(labels, Float32Array.from(logits.flat()));
        labels.slice(1).forEach((next, t) => {
          if (next !== IGNORE_LABEL) losses.push(crossEntropy(logits[t], next));
        });
      }
      const loss = losses.reduce((sum, v) => sum + v, 0) / losses.length;
      return { perplexity: perplexity(loss), tokenAccuracy: accuracy.accuracy() };
    }
    case 'spans': {
      const { entityPrecision, entityRecall, entityF1, tagAccuracy } = spanScores(TAGS, ...c.sentences);
      return { entityPrecision, entityRecall, entityF1, tagAccuracy } as Record<string, number>;
    }
  }
}

/** Relative, but not to less than 0.001, since a correlation of 0 is a sum of larger terms. */
const apart = (own: number, other: number): number => Math.abs(own - other) / Math.max(Math.abs(other), 1e-3);

describe.runIf(onPython)('the metrics', () => {
  it('are those of scikit-learn and SciPy, and 0 where SciPy has no correlation', () => {
    const theirs = JSON.parse(python('metrics.py', [], METRIC_CASES)) as Record<string, number | null>[];
    expect(theirs).toHaveLength(METRIC_CASES.length);
    const undefinedIn = { pearson: new Set<string>(), spearman: new Set<string>() };
    METRIC_CASES.forEach((c, i) => {
      const own = ours(c);
      expect(Object.keys(own)).toEqual(Object.keys(theirs[i]));
      for (const [name, value] of Object.entries(theirs[i])) {
        if (value === null) undefinedIn[name as keyof typeof undefinedIn].add(c.about);
        expect(apart(own[name], value ?? 0), `${name} of ${JSON.stringify(c)}`).toBeLessThan(TOLERANCE);
      }
    });
    const constant = ['constant truth', 'constant predictions', 'only constants', 'a single example'];
    for (const found of Object.values(undefinedIn))
      expect([...found]).toEqual(expect.arrayContaining(constant));
  });
});
