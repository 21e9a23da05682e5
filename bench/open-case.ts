import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { selectAdapters } from '../src/adapters/targets/select';
import type { TensorInfos, HostTensors } from '../src/graph/tensor-infos';
import { probe } from '../src/engine/onnxruntime/probe';
import { DType } from '../src/graph/dtype';
import { findLinearLayers } from '../src/graph/layers/linear';
import { loadModel } from '../src/graph/file/load';
import type { Model } from '../src/graph/model';
import { prepareModel } from '../src/graph/prepare';
import { LABELS, type TaskGraphSpec } from '../src/tasks/task-graph';
import { HEAD, type BenchCase, type DenseArray } from './case';

export interface OpenedCase {
  model: Model;
  infos: TensorInfos;
  spec: TaskGraphSpec;
}

export const readCase = (path: string): BenchCase => JSON.parse(readFileSync(path, 'utf8')) as BenchCase;

/** @param file of the model: the case's own, or the same with quantized weights */
export async function openCase(
  c: BenchCase,
  path: string,
  folder: string,
  file = join(dirname(path), c.model),
): Promise<OpenedCase> {
  const model = prepareModel(loadModel(file));
  const { adapters } = selectAdapters(model.graph, findLinearLayers(model.graph), c.adapter);
  const infos = await probe(model, folder);
  const head = { pooling: c.pooling, ...HEAD };
  return { model, infos, spec: { objective: 'cross-entropy', head, output: 'last_hidden_state', adapters } };
}

/** The model's inputs and the labels. */
export function caseInputs(c: BenchCase): HostTensors {
  const inputs: HostTensors = { [LABELS]: int64(c.labels) };
  for (const [name, t] of Object.entries(c.inputs)) inputs[name] = int64(t);
  return inputs;
}

const int64 = (t: DenseArray) => ({
  dtype: DType.int64,
  dims: t.dims,
  data: BigInt64Array.from(t.data, BigInt),
});
