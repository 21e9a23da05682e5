import { sizeOf } from '../../data/dataset';
import type { Parameters, Stepper, StepResult } from '../../engine/stepper';
import type { Part } from '../micro-batch/default-parts';
import type { MicroBatches } from '../micro-batch/micro-batches';
import type { DropoutMasks } from '../optimizer/dropout';
import type { Task } from '../task/task';

export interface GradientStep {
  /** Mean over all that counts in the step: its examples, or their words, with the weights of their classes. */
  loss: number;
  gradients: Map<string, Float32Array>;
  examples: number;
  /** Real tokens, padding excluded. */
  tokens: number;
}

/** Optimizer steps before this one, and the epoch that it belongs to, from 0. */
export interface StepPlace {
  step: number;
  epoch: number;
}

export const FIRST_STEP: StepPlace = { step: 0, epoch: 0 };

/**
 * Loss and gradients of one optimizer step over its batches, each split into parts that fit into memory. Every gradient
 * is scaled by one over the weight of the whole step, so their plain sum is the gradient of the mean, however unequal
 * the parts.
 */
export async function gradientStep(
  stepper: Stepper,
  task: Task,
  micro: MicroBatches,
  batches: readonly (readonly number[])[],
  parameters: Parameters,
  dropout: DropoutMasks,
  { step, epoch }: StepPlace,
): Promise<GradientStep> {
  const { trainingSet: dataset } = task;
  const pass = { seed: task.spec.training.seed, epoch };
  const indices = batches.flat();
  let [weight, count] = [0, 0];
  for (const i of indices) {
    const example = dataset.examples.at(i)!;
    weight += task.weight(example);
    count += example.textRows?.length ?? 1;
  }
  let gradients: Gradients | undefined;
  let lossSum = 0;
  for (const batch of batches) {
    const result = await micro.run('step', dataset, batch, (parts) =>
      sumOf(parts, async ({ indices, length }) => {
        const inputs = await task.feeds(dataset, indices, length, pass);
        const masks = dropout.masks(step, task.maskKeys(dataset, indices), length);
        return stepper.step({ ...inputs, ...masks }, parameters, 1 / weight);
      }),
    );
    lossSum += result.lossSum;
    gradients = gradients ? add(gradients, result.gradients) : result.gradients;
  }
  const tokens = indices.reduce((n, i) => n + sizeOf(dataset, i), 0);
  return { loss: lossSum / weight, gradients: gradients!, examples: count, tokens };
}

/** Loss and gradients of all parts, as if they had run at once. */
export async function sumOf(
  parts: readonly Part[],
  run: (part: Part) => Promise<StepResult>,
): Promise<Omit<StepResult, 'count'>> {
  let gradients: Gradients | undefined;
  let lossSum = 0;
  for (const part of parts) {
    const result = await run(part);
    lossSum += result.lossSum;
    gradients = gradients ? add(gradients, result.gradients) : result.gradients;
  }
  return { lossSum, gradients: gradients! };
}

type Gradients = StepResult['gradients'];

function add(into: Gradients, other: Gradients): Gradients {
  for (const [name, values] of other) {
    const sum = into.get(name)!;
    for (let i = 0; i < sum.length; i++) sum[i] += values[i];
  }
  return into;
}
