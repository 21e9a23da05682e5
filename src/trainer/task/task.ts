import type { LayerAdapter } from '../../adapters/targets/select';
import { makeBatch } from '../../data/batch';
import type { Dataset } from '../../data/dataset';
import type { HostTensors } from '../../engine/engine';
import { probe } from '../../engine/onnxruntime/probe';
import { LABELS, type TaskGraphSpec } from '../../tasks/program';
import type { HeadSpec } from '../../tasks/head';
import { DType } from '../../graph/dtype';
import type { TensorInfo } from '../../graph/infos';
import type { LinearLayer } from '../../graph/layers/linear';
import type { Model } from '../../graph/model';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import { adaptModel, type AdaptedModel } from './adapted-model';
import { loadData, modelInputs, type TaskData } from './data';
import { HEAD_BIAS, HEAD_WEIGHT, initialAdapters, initialHead } from './initialize';

/** Everything an experiment needs before its first step: model, shapes, adapters, data. */
export interface Task {
  spec: Experiment;
  /** As the file has it; merged exports edit this one. */
  original: Model;
  /** At the internal opset. */
  model: Model;
  infos: Map<string, TensorInfo>;
  /** Every linear layer of the model. */
  layers: LinearLayer[];
  adapters: LayerAdapter[];
  head: HeadSpec | undefined;
  graph: TaskGraphSpec;
  data: TaskData;
  /** A batch as an engine takes it: the model's inputs and the labels; `length` pads it beyond its longest text. */
  feeds: (dataset: Dataset, indices: readonly number[], length?: number) => HostTensors;
  /** Numbers in the model's weights. */
  modelSize: number;
  warnings: string[];
}

/** Of a run that has begun: the order of its labels, and the modules that it adapts by the names that it has for them. */
export interface KnownTask {
  labels?: readonly string[];
  modules?: readonly string[];
}

/**
 * @param near  a folder for temporary graphs on the model's file system
 * @param known what the run's journal says, once it has begun
 * @param load  what is read of the data
 */
export function prepareTask(
  spec: Experiment,
  near: string,
  known: KnownTask = {},
  load: typeof loadData = loadData,
): Promise<Task> {
  const adapted = adaptModel(spec, known.modules);
  return makeTask(spec, adapted, load(spec, adapted.model, known.labels), near);
}

/** The same from a model and data that are read already. */
export async function makeTask(
  spec: Experiment,
  { original, model, layers, adapters, output, modelSize, warnings }: AdaptedModel,
  data: TaskData,
  near: string,
): Promise<Task> {
  const infos = await probe(model, near);
  checkOutput(spec, output, infos.get(output)!, data.labels.length);
  const head =
    spec.task.head === 'linear'
      ? { pooling: spec.task.pooling, classes: data.labels.length, weight: HEAD_WEIGHT, bias: HEAD_BIAS }
      : undefined;
  const graph: TaskGraphSpec = { objective: 'cross-entropy', head, output, adapters };
  return {
    spec,
    original,
    model,
    infos,
    layers,
    adapters,
    head,
    graph,
    data,
    feeds: (dataset, indices, length) => textFeeds(model, dataset, indices, length),
    modelSize,
    warnings: [...warnings, ...data.warnings],
  };
}

function textFeeds(model: Model, dataset: Dataset, indices: readonly number[], length?: number): HostTensors {
  const { inputs, labels } = makeBatch(dataset, indices, modelInputs(model), length);
  return { ...inputs, [LABELS]: labels };
}

export function initialParameters(task: Task): Map<string, Float32Array> {
  const { seed } = task.spec.training;
  const hidden = task.infos.get(task.graph.output)!.shape.at(-1) as number;
  const head = task.head ? initialHead(task.head.classes, hidden, seed) : [];
  return new Map([...initialAdapters(task.adapters, seed), ...head]);
}

/** @throws AuroraError 'model' where a head or a loss cannot read the output */
export function checkOutput(spec: Experiment, name: string, info: TensorInfo, classes: number): void {
  const shape = `[${info.shape.join(', ')}]`;
  if (info.dtype !== DType.float)
    throw new AuroraError(
      'model',
      `${spec.model.path}: the output ${name} is not float32.`,
      'Export the model in float32.',
    );
  const last = info.shape.at(-1);
  if (spec.task.head === 'linear') {
    if (info.shape.length < 2 || info.shape.length > 3 || typeof last !== 'number')
      throw new AuroraError(
        'model',
        `${spec.model.path}: the output ${name} has the shape ${shape}; a head needs [batch, sequence, hidden] or [batch, hidden].`,
        'Name another output in model.output, or use task.head "none" for a model with its own logits.',
      );
  } else if (info.shape.length !== 2 || last !== classes)
    throw new AuroraError(
      'model',
      `${spec.model.path}: the output ${name} has the shape ${shape}, but the data has ${classes} labels.`,
      'Use task.head "linear" to train a new head, or name the output with the logits in model.output.',
    );
}
