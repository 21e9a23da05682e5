import { describe, expect, it } from 'vitest';
import type { PairedRise } from '../../../../src/protocol/nonlinearity';
import {
  differenceParts,
  exportParts,
  isWorthRefining,
} from '../../../../src/protocol/reports/export-report';
import { refinedText, refineProgress } from '../../../../src/protocol/reports/refine-report';
import { exportRecord } from '../../extension/transfer/record';

const metrics = { loss: 0.5, accuracy: 0.75, f1: 0.7, matthews: 0.4, examples: 24 };
const refinement = { steps: 200, of: 200, best: 150, seconds: 60, evaluations: [{ step: 0, metrics }] };

describe('the texts of refining', () => {
  it('state the cost before the first step', () => {
    const cost = { kind: 'refine-cost', steps: 1200, secondsPerStep: 0.52, seconds: 700 } as const;
    expect(refineProgress({ ...cost, evaluations: 4 })).toBe(
      'Refining takes about 12 min: 1,200 steps of 0.5 s, and 4 evaluations.',
    );
    expect(refineProgress({ ...cost, evaluations: 1 })).toMatch(/, and an evaluation\.$/);
  });

  it('report steps and evaluations', () => {
    const step = { kind: 'refine-step', step: 3, of: 200, loss: 0.4, learningRate: 0.01 } as const;
    expect(refineProgress({ ...step, examples: 8, seconds: 0.5, secondsLeft: 98.5 })).toBe(
      'Refining: step 3 of 200, 1 min 39 s left…',
    );
    const evaluation = { kind: 'refine-evaluation', metric: 'accuracy', metrics, best: true } as const;
    expect(refineProgress({ ...evaluation, step: 0 })).toBe(
      'Refining: the fit has validation accuracy 75.0%.',
    );
    expect(refineProgress({ ...evaluation, step: 50 })).toBe(
      'Refining: step 50 has validation accuracy 75.0%.',
    );
  });

  it('state whether the result reaches the adapter as trained', () => {
    expect(refinedText(refinement, { metric: 'accuracy', loss: -0.4 })).toBe(
      'The fit was refined for 200 steps; these files contain step 150. The result reaches the adapter as trained.',
    );
    expect(refinedText(refinement, { metric: 'accuracy', loss: 0.4 })).toMatch(
      /The result does not reach the adapter as trained: accuracy falls by 0\.4 points\.$/,
    );
    expect(refinedText({ ...refinement, steps: 40, best: 0 }, { metric: 'loss', loss: 0.001 })).toBe(
      'None of 40 refining steps improved on the fit, so these files contain the fit. Early stopping ended the 200 steps asked for. The result reaches the adapter as trained.',
    );
  });

  it('suggest it for a fit that loses more than the standard error', () => {
    const fitted = (lossRise: PairedRise) =>
      exportRecord({ merge: 'fitted', fit: { tokens: 4096, seed: 1, layers: 4, withBias: 4 }, lossRise });
    const clear = fitted({ mean: 0.02, error: 0.005, half: 0.01 });
    expect(isWorthRefining(clear)).toBe(true);
    expect(differenceParts(clear)).toContainEqual(
      'The validation loss rises by 0.02 ± 0.005, the standard error of the paired difference over the examples.',
    );
    expect(isWorthRefining({ ...clear, refinement })).toBe(false);
    expect(isWorthRefining({ ...clear, merge: 'paper' })).toBe(false);
    expect(isWorthRefining(fitted({ mean: 0.004, error: 0.005, half: 0.01 }))).toBe(false);
    const better = fitted({ mean: -0.02, error: 0.005, half: 0.01 });
    expect(isWorthRefining(better)).toBe(false);
    expect(differenceParts(better)).toContainEqual(
      expect.stringMatching(/^The validation loss falls by 0\.02 ±/),
    );
  });

  it('are in the report of the export, with a row', () => {
    const fit = { tokens: 4096, seed: 1, layers: 4, withBias: 4 };
    const { metrics: rows } = exportRecord();
    const record = exportRecord({ merge: 'fitted', fit, refinement, metrics: { ...rows, refined: metrics } });
    const text = JSON.stringify(exportParts(record));
    expect(text).toContain('["refined"');
    expect(text).toContain('The fit was refined for 200 steps');
  });
});
