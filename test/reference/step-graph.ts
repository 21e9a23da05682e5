import { join } from 'node:path';
import { selectAdapters } from '../../src/adapters/select';
import { adapterSpec, readReference, type DenseArray } from '../../src/cli/reference/case';
import type { HostTensor, HostTensors } from '../../src/engine/engine';
import { OBJECTIVES } from '../../src/engine/objective';
import { deviceFeeds, deviceGraph } from '../../src/engine/onnxruntime/device-graph';
import { probe } from '../../src/engine/onnxruntime/probe';
import { GRAD_SCALE, trainingGraph } from '../../src/engine/onnxruntime/training-graph';
import { buildTaskGraph, findOutput, LABELS } from '../../src/engine/program';
import { DType } from '../../src/graph/dtype';
import { findLinearLayers } from '../../src/graph/linear';
import { loadModel } from '../../src/graph/load';
import { prepareModel } from '../../src/graph/prepare';
import { saveByReference } from '../../src/graph/save';
import { tensorOf, tensorValues } from '../../src/graph/values';
import { fixture } from './files';

export interface SavedStep {
  path: string;
  feeds: HostTensors;
  /** Names of two outputs: the loss is their quotient. */
  lossSum: string;
  count: string;
  /** PyTorch's. */
  loss: number;
}

/**
 * The step graph of a reference case as it runs on WebGPU, saved in a folder.
 *
 * @param fixed whether the model's free dimensions are set to those of the case, as an exporter could have done
 */
export async function saveStep(name: string, folder: string, fixed: boolean): Promise<SavedStep> {
  const file = readReference(fixture(name));
  if (file.kind !== 'model') throw new Error('Not a model case.');
  const { case: c } = file;
  const model = prepareModel(loadModel(file.modelPath));
  if (fixed)
    model.graph.inputs = model.graph.inputs.map((i) =>
      c.inputs[i.name] ? { ...i, shape: c.inputs[i.name].dims, raw: undefined } : i,
    );
  const shapes = (inputs: Record<string, DenseArray>) =>
    Object.fromEntries(Object.entries(inputs).map(([input, a]) => [input, a.dims]));
  const infos = await probe(
    model,
    folder,
    (fixed ? [c] : [c, ...c.otherShapes]).map((f) => shapes(f.inputs)),
  );
  const { adapters } = selectAdapters(model.graph, findLinearLayers(model.graph), adapterSpec(c));
  const head = c.head ? { ...c.head, classes: c.trainable[c.head.weight].dims[0] } : undefined;
  const output = findOutput(model, undefined, head !== undefined);
  const task = buildTaskGraph(model, infos, { objective: c.objective, head, output, adapters }, false);
  const graph = deviceGraph((await trainingGraph(task, folder)).model, 'webgpu');

  const feeds: HostTensors = {
    [LABELS]: host(c.labels, OBJECTIVES[c.objective].labels.dtype),
    [GRAD_SCALE]: { dtype: DType.float, dims: [], data: Float32Array.of(1) },
  };
  for (const { name: input, dtype } of model.graph.inputs)
    if (c.inputs[input]) feeds[input] = host(c.inputs[input], dtype);
  for (const t of task.trainable) feeds[t.name] = host(c.trainable[t.name], DType.float);
  const path = saveByReference(graph, join(folder, 'step'), 'step.onnx');
  return { path, feeds: deviceFeeds(graph, feeds), lossSum: task.lossSum, count: task.count, loss: c.loss };
}

const host = (a: DenseArray, dtype: number): HostTensor => ({
  dtype,
  dims: a.dims,
  data: tensorValues(tensorOf('', dtype, a.dims, a.data)),
});
