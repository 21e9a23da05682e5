import type { TensorInfos } from '../graph/infos';
import type { Model } from '../graph/model';
import * as onnxruntime from './onnxruntime/stepper';
import type { TaskGraphSpec } from '../tasks/task-graph';
import type { Evaluator, EvaluatorOptions, OpenedTask, TaskOptions } from './stepper';
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
