import { AuroraError } from '../../base/errors';
import { type Dataset, sizesOf } from '../../data/dataset';
import { longestExamples } from '../../data/row-order';
import type { Evaluator, Parameters, Stepper } from '../../engine/stepper';
import { formatMetric } from '../../experiment/metrics';
import type { MicroBatches } from '../micro-batch/micro-batches';
import { DropoutMasks } from '../optimizer/dropout';
import { initialParameters, type Task } from '../task/task';
import { sumOf } from './gradient-step';

/**
 * Largest relative difference between the losses, and between the gradients, of texts in one row and of the same texts
 * apart. Rounding gives far less; float16 and int8 give more.
 */
const ALLOWED = {
  float32: { loss: 1e-3, gradients: 1e-2 },
  mixed: { loss: 1e-2, gradients: 1e-1 },
  int8: { loss: 1e-2, gradients: 1e-1 },
};

/**
 * Trains two texts in one row and apart, and compares: only the model can show if they influence each other, on the
 * engine and device of the run. It may mix tokens otherwise than by attention, or count positions in a way that was not
 * recognized. Changes nothing; costs about two rows of a step.
 *
 * @throws AuroraError 'model' if the numbers differ
 */
export async function checkPacking(task: Task, stepper: Stepper, micro: MicroBatches): Promise<void> {
  const apart = task.graph.documents && twoTexts(task);
  if (!apart) return;
  const row = task.kind.pack!(apart, task.spec);
  // Initial values, not the current ones: a resumed run must get the same result.
  const parameters = initialParameters(task);
  const dropout = new DropoutMasks(task, task.spec.training.seed);
  const weight = apart.examples.map((e) => task.weight(e)).reduce((a, b) => a + b);
  const trained = (dataset: Dataset) =>
    micro.run(
      'step',
      dataset,
      dataset.examples.map((_, i) => i),
      (parts) =>
        sumOf(parts, async ({ indices, length }) => {
          const masks = dropout.masks(0, indices, length);
          // Nothing is dropped: a token's mask depends on its place.
          for (const { data } of Object.values(masks)) (data as Uint8Array).fill(1);
          const inputs = await task.feeds(dataset, indices, length);
          return stepper.step({ ...inputs, ...masks }, parameters, 1 / weight);
        }),
    );
  const [packed, alone] = [await trained(row), await trained(apart)];
  // Packing is not the cause: the first step reports it.
  if (!Number.isFinite(alone.lossSum)) return;
  const { loss, gradients } = ALLOWED[task.spec.training.precision];
  if (
    Math.abs(packed.lossSum - alone.lossSum) <= loss * alone.lossSum &&
    distance(packed.gradients, alone.gradients) <= gradients * distance(alone.gradients)
  )
    return;
  const [a, b] = [alone.lossSum, packed.lossSum].map((sum) => formatMetric('loss', sum / weight));
  throw new AuroraError(
    'model',
    `${task.spec.model.path}: texts influence each other if they are packed into one row (the loss of two texts is ${b}, and ${a} apart), so training.packing cannot be used.`,
    'Set training.packing to false, or export the model with position_ids as an input and its attention written out (attn_implementation="eager").',
  );
}

/** The longest two of at most half a row; undefined where no two texts fit into one. */
function twoTexts({ data, spec }: Task): Dataset | undefined {
  const { dataset } = data.train;
  const sizes = sizesOf(dataset);
  const { maxLength } = spec.model;
  const byLength = Array.from({ length: sizes.length }, (_, i) => i).sort((a, b) => sizes[a] - sizes[b]);
  const halves = byLength.filter((i) => 2 * sizes[i] <= maxLength).slice(-2);
  const chosen = halves.length === 2 ? halves : byLength.slice(0, 2);
  const fits = chosen.length === 2 && sizes[chosen[0]] + sizes[chosen[1]] <= maxLength;
  return fits ? { ...dataset, examples: chosen.map((i) => dataset.examples.at(i)!) } : undefined;
}

/** The norm of the difference of all gradients; without others, their own norm. */
function distance(
  gradients: ReadonlyMap<string, Float32Array>,
  others?: ReadonlyMap<string, Float32Array>,
): number {
  let sum = 0;
  for (const [name, values] of gradients) {
    const other = others?.get(name);
    values.forEach((x, i) => (sum += (x - (other ? other[i] : 0)) ** 2));
  }
  return Math.sqrt(sum);
}

/**
 * Runs the longest text of each data set once, so that a model with too few positions fails before the first step
 * rather than at the step that meets it.
 */
export async function tryLongest(
  evaluator: Evaluator,
  task: Task,
  micro: MicroBatches,
  parameters: Parameters,
): Promise<void> {
  for (const { dataset } of [task.data.train, task.data.validation]) {
    const [longest] = longestExamples(dataset, 1);
    await micro.run('evaluation', dataset, [longest], async () =>
      evaluator.evaluate(await task.feeds(dataset, [longest]), parameters),
    );
  }
}
