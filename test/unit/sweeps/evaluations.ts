import type { MetricValue } from '../../../src/experiment/metrics';
import type { AnyEvaluation } from '../../../src/protocol/evaluations';

/** An evaluation after each epoch of ten steps. */
export const evaluationsOf = (accuracies: readonly MetricValue[]): AnyEvaluation[] =>
  accuracies.map((accuracy, i) => {
    const at = { v: 1, seq: i, t: 0, step: 10 * (i + 1), epoch: i + 1, seconds: 1 };
    if (accuracy === 'diverged') return { ...at, kind: 'diverged-evaluation', reason: 'exploded' };
    const metrics = { accuracy, loss: 1 - accuracy, f1: 0, matthews: 0, examples: 8 };
    return { ...at, kind: 'evaluation', metrics, best: false };
  });
