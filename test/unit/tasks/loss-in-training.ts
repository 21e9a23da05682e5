import type { HostTensor } from '../../../src/graph/tensor-infos';
import { IGNORE_LABEL, type TrainingLoss } from '../../../src/tasks/objective';

/**
 * PyTorch's definition, in float64: the cross-entropy with the target 1 − ε + ε / classes for the label and
 * ε / classes for all others, each class with its weight; the count is the sum of the labels' weights.
 */
export function lossInTraining(
  { labelSmoothing: smoothing = 0, classWeights }: TrainingLoss,
  logits: HostTensor,
  labels: HostTensor,
): { lossSum: number; count: number } {
  const classes = logits.dims.at(-1)!;
  let [lossSum, count] = [0, 0];
  Array.from(labels.data as BigInt64Array, Number).forEach((label, i) => {
    if (label === IGNORE_LABEL) return;
    const own = Array.from((logits.data as Float32Array).subarray(i * classes, (i + 1) * classes));
    const largest = Math.max(...own);
    const logSum = largest + Math.log(own.reduce((sum, v) => sum + Math.exp(v - largest), 0));
    own.forEach((v, c) => {
      const target = (c === label ? 1 - smoothing : 0) + smoothing / classes;
      lossSum += (classWeights?.[c] ?? 1) * target * (logSum - v);
    });
    count += classWeights?.[label] ?? 1;
  });
  return { lossSum, count };
}
