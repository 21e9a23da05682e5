import type { Evaluation } from '../../../../src/shared/sweep';

/** An evaluation after each epoch of ten steps. */
export const evaluationsOf = (accuracies: readonly number[]): Evaluation[] =>
  accuracies.map((accuracy, i) => ({
    kind: 'evaluation',
    step: 10 * (i + 1),
    epoch: i + 1,
    metrics: { accuracy, loss: 1 - accuracy, f1: 0, matthews: 0, examples: 8 },
  })) as unknown as Evaluation[];
