import { outputsNamed, type Model } from '../graph/model';
import { prune } from '../graph/prune';
import type { Executable } from './engine';
import * as onnxruntime from './onnxruntime/forward';
import type { EvaluatorOptions } from './stepper';
import * as tfjs from './tfjs/forward';

/**
 * A graph with any of its tensors as outputs, on the engine and device of `options.place`, for inspection. Trainable
 * tensors are fed like the other inputs; inputs that the graph does not read are ignored.
 *
 * @param folder for the graph; the caller removes it
 */
export function openForward(
  model: Model,
  outputs: readonly string[],
  folder: string,
  options: EvaluatorOptions = {},
): Promise<Executable> {
  const part: Model = { ...model, graph: prune({ ...model.graph, outputs: outputsNamed(outputs) }) };
  if (options.place?.engine === 'tfjs') return tfjs.openForward(part, options);
  return onnxruntime.openForward(part, folder, options);
}
