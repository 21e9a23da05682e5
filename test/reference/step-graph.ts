import { join } from 'node:path';
import { caseFeeds, caseParameters, caseTask, shapesOf } from '../../src/cli/commands/reference/model-case';
import type { HostTensors } from '../../src/engine/stepper';
import { deviceFeeds, deviceGraph } from '../../src/engine/onnxruntime/device-graph';
import { probe } from '../../src/engine/onnxruntime/probe';
import { GRAD_SCALE } from '../../src/engine/onnxruntime/step-constants';
import { trainingGraph } from '../../src/engine/onnxruntime/training-graph';
import { buildTaskGraph } from '../../src/tasks/task-graph';
import { DType } from '../../src/graph/dtype';
import { loadModel } from '../../src/graph/file/load';
import { prepareModel } from '../../src/graph/prepare';
import { saveByReference } from '../../src/graph/file/save';
import { modelFile } from './files';

export interface SavedStep {
  path: string;
  feeds: HostTensors;
  /** Names of two outputs. The loss is their quotient. */
  lossSum: string;
  count: string;
  /** The loss according to PyTorch. */
  loss: number;
}

/**
 * Saves the step graph of a reference case, as it runs on WebGPU, in a folder.
 *
 * @param fixed whether the model's free dimensions are set to those of the case, as an exporter might have
 * done
 */
export async function saveStep(name: string, folder: string, fixed: boolean): Promise<SavedStep> {
  const { modelPath, case: c } = modelFile(name);
  const model = prepareModel(loadModel(modelPath));
  if (fixed)
    model.graph.inputs = model.graph.inputs.map((i) =>
      c.inputs[i.name] ? { ...i, shape: c.inputs[i.name].dims, raw: undefined } : i,
    );
  const infos = await probe(
    model,
    folder,
    (fixed ? [c] : [c, ...c.otherShapes]).map((f) => shapesOf(f.inputs)),
  );
  const task = buildTaskGraph(model, infos, caseTask(model, c), false);
  const graph = deviceGraph((await trainingGraph(task, folder)).model, 'webgpu');

  const feeds: HostTensors = {
    ...caseFeeds(model, c, c),
    [GRAD_SCALE]: { dtype: DType.float, dims: [], data: Float32Array.of(1) },
  };
  const parameters = caseParameters(c);
  for (const { name: parameter, dims } of task.trainable)
    feeds[parameter] = { dtype: DType.float, dims, data: parameters.get(parameter)! };
  const path = saveByReference(graph, join(folder, 'step'), 'step.onnx');
  return { path, feeds: deviceFeeds(graph, feeds), lossSum: task.lossSum, count: task.count, loss: c.loss };
}
