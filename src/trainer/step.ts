import type { Dataset } from '../data/dataset';
import type { Stepper } from '../engine/stepper';
import type { DropoutMasks } from './dropout';
import type { Task } from './task';

export interface GradientStep {
  /** Mean over the examples of the step. */
  loss: number;
  gradients: Map<string, Float32Array>;
  examples: number;
  /** Real tokens, padding excluded. */
  tokens: number;
}

/**
 * Loss and gradients of one optimizer step over its micro-batches. Every gradient is scaled by one over the
 * examples of the whole step, so their plain sum is the gradient of the mean, however unequal the parts.
 */
export async function gradientStep(
  stepper: Stepper,
  feeds: Task['feeds'],
  dataset: Dataset,
  microBatches: readonly (readonly number[])[],
  parameters: ReadonlyMap<string, Float32Array>,
  dropout: DropoutMasks,
  step: number,
): Promise<GradientStep> {
  const examples = microBatches.reduce((n, b) => n + b.length, 0);
  let gradients: Map<string, Float32Array> | undefined;
  let lossSum = 0;
  let tokens = 0;
  for (const indices of microBatches) {
    const lengths = indices.map((i) => dataset.examples[i].ids.length);
    const masks = dropout.masks(step, indices, Math.max(...lengths));
    const result = await stepper.step({ ...feeds(dataset, indices), ...masks }, parameters, 1 / examples);
    lossSum += result.lossSum;
    tokens += lengths.reduce((a, b) => a + b, 0);
    if (!gradients) gradients = result.gradients;
    else for (const [name, g] of result.gradients) add(gradients.get(name)!, g);
  }
  return { loss: lossSum / examples, gradients: gradients!, examples, tokens };
}

function add(into: Float32Array, other: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i] += other[i];
}
