import type { LayerAdapter } from '../../adapters/targets/select';
import type { ModelSource } from '../../architectures/model-source';
import type { Dataset, Example, TrainingPass } from '../../data/dataset';
import type { ReadWatch } from '../../data/stream/build-index';
import type { HostTensors } from '../../engine/stepper';
import { batchInfos } from '../../graph/sizes/batch-infos';
import { documentPlaces } from '../../graph/passes/keep-documents-apart';
import { probe } from '../../engine/onnxruntime/probe';
import type { TaskKind } from '../../tasks/kind';
import type { TaskGraphSpec } from '../../tasks/task-graph';
import { taskKind } from '../../tasks/task-registry';
import { weightIn } from '../../tasks/training-loss';
import type { HeadSpec } from '../../tasks/head';
import type { TensorInfo } from '../../graph/tensor-infos';
import type { LinearLayer } from '../../graph/layers/linear';
import type { Model } from '../../graph/model';
import type { Outputs } from '../../protocol/outputs';
import type { Experiment } from '../../experiment/experiment';
import { adaptModel, type AdaptedModel, type BaseModel, ownHead } from './adapted-model';
import { batchFeeds, type TaskData } from '../../tasks/task-data';
import { initialAdapters, initialHead } from './initialize';
import { stepData } from './step-data';

/** Everything an experiment needs before its first step: model, shapes, adapters, data. */
export interface Task {
  spec: Experiment;
  kind: TaskKind;
  source: ModelSource;
  /** The model as in the file; merged exports edit this one. */
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
  /** The data set of the steps: the training data, or rows into which they are packed. */
  trainingSet: Dataset;
  /**
   * A batch as an engine takes it: the model's inputs and the expected answers; `length` pads it beyond its largest
   * example. Random changes are only made in a pass of training.
   */
  feeds: (
    dataset: Dataset,
    indices: readonly number[],
    length?: number,
    pass?: TrainingPass,
  ) => Promise<HostTensors>;
  /** Begins to read the rows that `feeds` will need, where that takes long. */
  readAhead: (dataset: Dataset, indices: readonly number[], pass?: TrainingPass) => void;
  /** The keys of the dropout masks of a training batch's rows. */
  maskKeys: (dataset: Dataset, indices: readonly number[]) => readonly number[];
  /** The weight of an example in the mean loss of a step. */
  weight: (example: Example) => number;
  /** Number of weights in the model. */
  modelSize: number;
  /** Initial values of its adapters that were computed from the weights or from data, by the names of the graph. */
  start?: ReadonlyMap<string, Float32Array>;
  warnings: string[];
}

export interface TaskReading {
  /** The source of the model, if it is known. */
  source?: ModelSource;
  /** From the run's journal, once it has started. */
  known?: Outputs;
  /** Reads the data. */
  load?: LoadFor;
  /** Called while a large file is read. */
  watch?: ReadWatch;
}

/** Reads the data of an experiment for its model. */
export type LoadFor = (
  spec: Experiment,
  base: BaseModel,
  known?: Outputs,
  watch?: ReadWatch,
) => Promise<TaskData>;

/** @param near a folder for temporary graphs on the model's file system */
export async function prepareTask(
  spec: Experiment,
  near: string,
  { source, known, load = loadRows, watch }: TaskReading = {},
): Promise<Task> {
  const adapted = adaptModel(spec, source);
  return makeTask(spec, adapted, await load(spec, adapted, known, watch), near);
}

const loadRows: LoadFor = (spec, { model }, known, watch) =>
  taskKind(spec.task).load(spec, model, known, watch);

/** Makes a task from a model and data that have already been read. */
export async function makeTask(
  spec: Experiment,
  { source, original, model, layers, adapters, output, modelSize, warnings }: AdaptedModel,
  data: TaskData,
  near: string,
): Promise<Task> {
  const kind = taskKind(spec.task);
  const sizes = kind.inputSizes?.(data);
  const infos = (sizes && batchInfos(model.graph, sizes)) ?? (await probe(model, near));
  kind.checkOutput(spec, output, infos.get(output)!, data.labels);
  const head = kind.head(spec, data.labels);
  const { packed, trainingSet, inputs, loss } = stepData(spec, kind, model, data);
  const documents = packed && documentPlaces(model.graph, infos, output, spec.model.path);
  const graph: TaskGraphSpec = {
    objective: kind.objective,
    head,
    output,
    adapters,
    documents,
    trainingLoss: loss,
  };
  return {
    spec,
    kind,
    source,
    original,
    model,
    infos,
    layers,
    adapters,
    head,
    graph,
    data,
    trainingSet,
    feeds: (dataset, indices, length, pass) => batchFeeds(kind, inputs, dataset, indices, length, pass),
    readAhead: (dataset, indices, pass) => kind.readAhead?.(dataset, indices, pass),
    maskKeys: (dataset, indices) => kind.maskKeys?.(dataset, indices) ?? indices,
    weight: weightIn(kind, loss),
    modelSize,
    warnings: [...warnings, ...data.warnings, ...(packed ? nothingPacked(spec, data, packed) : [])],
  };
}

function nothingPacked({ model }: Experiment, { train }: TaskData, { examples }: Dataset): string[] {
  if (examples.length === 0 || examples.length < train.dataset.examples.length) return [];
  return [
    `training.packing has no effect: no two training texts fit into a row of model.maxLength (${model.maxLength}) tokens.`,
  ];
}

/** For the journal: how many rows the training texts are packed into, if they are. */
export const packedRows = ({ spec, trainingSet }: Task): { packedRows?: number } =>
  spec.training.packing ? { packedRows: trainingSet.examples.length } : {};

export function initialParameters(task: Task): Map<string, Float32Array> {
  const { seed } = task.spec.training;
  const hidden = task.infos.get(task.graph.output)!.shape.at(-1) as number;
  const head = !task.head
    ? []
    : task.spec.task.headWeights === 'model'
      ? ownHead(task.original, task.spec, task.data.labels)
      : initialHead(task.head.classes, hidden, seed);
  return new Map([...initialAdapters(task.adapters, seed), ...(task.start ?? []), ...head]);
}
