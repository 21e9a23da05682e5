import type { LinearFit } from '../../adapters/fit/linear-fit';
import type { Parameters } from '../../engine/stepper';
import type { LinearLayer } from '../../graph/layers/linear';
import type { Task } from '../task/task';

export interface FittedOptions {
  /** True for a layer whose format has a place for a bias. */
  biasOf: (layer: LinearLayer) => boolean;
  /** Paths of the layers to replace; by default all that the fit has. */
  layers?: ReadonlySet<string>;
}

/**
 * The task with LoRA adapters in place of those with σ, and its parameters: A′ = M A, B, and the bias B c, or the
 * `plainA` of a layer without a bias. Alpha, rank and dropout stay. If all layers are replaced, the experiment of the
 * task is a LoRA's too. A fit without layers returns both as they are.
 */
export function fittedTask(
  task: Task,
  parameters: Parameters,
  fit: LinearFit,
  options: FittedOptions,
): { task: Task; parameters: Map<string, Float32Array> } {
  throw new Error(
    `not implemented: ${task.spec.name} ${parameters.size} ${fit.step} ${options.layers?.size}`,
  );
}
