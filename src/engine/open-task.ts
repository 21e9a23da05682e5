import { type Model, outputsNamed } from '../graph/model';
import { prune } from '../graph/reads';
import type { TensorInfos } from '../graph/tensor-infos';
import type { TaskGraphSpec } from '../tasks/task-graph';
import * as onnxruntime from './onnxruntime/stepper';
import type { Evaluator, EvaluatorOptions, Executable, OpenedTask, TaskOptions } from './stepper';
import * as tfjs from './tfjs/stepper';

/**
 * Prepares a task on the engine and device of `options.place`.
 *
 * @param model at the internal opset
 * @param infos shapes of its tensors, from a probe
 * @param folder for the step graphs; on the model's file system if possible, removed on dispose
 */
export function openTask(
  model: Model,
  infos: TensorInfos,
  spec: TaskGraphSpec,
  folder: string,
  options: TaskOptions = {},
): Promise<OpenedTask> {
  if (options.place?.engine === 'tfjs') return tfjs.openTask(model, infos, spec, options);
  return onnxruntime.openTask(model, infos, spec, folder, options);
}

/** Only the forward half of a task; also for a merged model, which has no adapters left. */
export function openEvaluator(
  model: Model,
  infos: TensorInfos,
  spec: TaskGraphSpec,
  folder: string,
  options: EvaluatorOptions = {},
): Promise<Evaluator> {
  if (options.place?.engine === 'tfjs') return tfjs.openEvaluator(model, infos, spec, options);
  return onnxruntime.openEvaluator(model, infos, spec, folder, options);
}

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
