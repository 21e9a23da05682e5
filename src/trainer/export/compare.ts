import { join } from 'node:path';
import { mergeAdapters } from '../../adapters/merge';
import { openEvaluator } from '../../engine/open';
import { probe } from '../../engine/onnxruntime/probe';
import { CPU } from '../../engine/place';
import type { TaskGraphSpec } from '../../engine/program';
import type { TensorInfos } from '../../graph/infos';
import { loadModel } from '../../graph/load';
import type { Model } from '../../graph/model';
import { prepareModel } from '../../graph/prepare';
import type { EvaluationMetrics } from '../../shared/events';
import { evaluateDataset } from '../evaluate';
import { MicroBatches } from '../micro-batch/micro-batches';
import type { Task } from '../task';
import { logitsName } from './onnx';

export interface FormMetrics {
  /** The adapters as they were trained. */
  dynamic: EvaluationMetrics;
  /** The adapters merged into the weights: another function, because σ is not linear. */
  merged: EvaluationMetrics;
  /** The exported file itself, run from disk. */
  exported: EvaluationMetrics;
}

/** Measures both forms of a trained adapter, and the exported file, on the validation set. */
export async function compareForms(
  task: Task,
  parameters: ReadonlyMap<string, Float32Array>,
  exportedPath: string,
  folder: string,
): Promise<FormMetrics> {
  const measure = async (name: string, model: Model, infos: TensorInfos, graph: TaskGraphSpec) => {
    const evaluator = await openEvaluator(model, infos, graph, join(folder, name));
    const micro = new MicroBatches(task, evaluator, CPU, () => {});
    const metrics = await evaluateDataset(evaluator, task, micro, task.data.validation.dataset, parameters);
    await evaluator.dispose();
    return metrics;
  };
  const merged = mergeAdapters(task.model, task.adapters, parameters);
  const exported = prepareModel(loadModel(exportedPath));
  return {
    dynamic: await measure('dynamic', task.model, task.infos, task.graph),
    merged: await measure('merged', merged, task.infos, { ...task.graph, adapters: [] }),
    exported: await measure('exported', exported, await probe(exported, folder), {
      objective: task.graph.objective,
      output: logitsName(task),
      adapters: [],
    }),
  };
}
