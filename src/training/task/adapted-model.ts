import { selectAdapters, type LayerAdapter } from '../../adapters/targets/select';
import { declaredOutputs, taskOutput } from '../../adapters/task-output';
import { gradientPath, requireRules } from '../../graph/autodiff/differentiate';
import { findLinearLayers, type LinearLayer } from '../../graph/layers/linear';
import { TASK_PREFIX } from '../../architectures/blocks/network';
import { loadModelAt } from '../../architectures/load';
import { loadWithTextEncoders, readPipeline } from '../../architectures/pipeline';
import { taskPath } from '../../architectures/task-path';
import { isWritten } from '../../graph/builder';
import { loadModel } from '../../graph/file/load';
import { elementCount, type Model } from '../../graph/model';
import { prepareModel } from '../../graph/prepare';
import { quantizedCopy } from '../../quantize/cached';
import { requireHeadLayer } from './own-head';
import { requirePositions } from './positions';
import type { Experiment } from '../../experiment/experiment';
import { leftOutWarning, type LeftOut } from '../../protocol/left-out';

/** An experiment's model and where its adapters go, from the file alone: no runtime is loaded. */
export interface AdaptedModel {
  /** The model as in the file; merged exports edit this one. */
  original: Model;
  /** At the internal opset. */
  model: Model;
  layers: LinearLayer[];
  adapters: LayerAdapter[];
  /** Layers that "all-linear" skipped. */
  leftOut: LeftOut[];
  /** The tensor that the head or the loss reads. */
  output: string;
  /** Number of weights in the model. */
  modelSize: number;
  warnings: string[];
}

/** A model as read, for any number of experiments on it. */
export interface BaseModel {
  original: Model;
  model: Model;
  layers: LinearLayer[];
}

/**
 * @param quantize bits of the weights of its linear layers, if they are to be quantized
 * @throws AuroraError where the file cannot be used
 */
export const readModel = (path: string, quantize?: 4 | 8): BaseModel =>
  prepared(quantize ? loadModel(quantizedCopy(path, quantize)) : loadModelAt(path));

/** The model of an experiment; with task.trainTextEncoder, text encoders and U-Net in one. */
export const readModelOf = ({ model, task }: Pick<Experiment, 'model' | 'task'>): BaseModel =>
  task.trainTextEncoder
    ? prepared(loadWithTextEncoders(readPipeline(model.path)))
    : readModel(model.path, model.quantize);

function prepared(original: Model): BaseModel {
  const model = prepareModel(original);
  const prefix = original.metadata.get(TASK_PREFIX);
  const layers = findLinearLayers(model.graph);
  return { original, model, layers: prefix === undefined ? layers : inTaskModel(layers, prefix) };
}

/** The layers with their paths in transformers' task models, for adapters in PEFT's layout. */
const inTaskModel = (layers: readonly LinearLayer[], prefix: string): LinearLayer[] =>
  layers.map((l) => ({ ...l, pytorchPath: taskPath(l.path, prefix) }));

/** @throws AuroraError if the file, a target, a rank or an operator cannot be used */
export const adaptModel = (spec: Experiment): AdaptedModel => adaptTo(readModelOf(spec), spec);

/** Adapts a model that has already been read. */
export function adaptTo({ original, model, layers }: BaseModel, spec: Experiment): AdaptedModel {
  requirePositions(original, spec.model, spec.training.packing);
  const output = taskOutput(declaredOutputs(model.graph), {
    output: spec.task.headWeights === 'model' ? requireHeadLayer(original, spec).input : spec.model.output,
    head: spec.task.head === 'linear',
  });
  const { adapters, leftOut, warnings } = selectAdapters(model.graph, layers, spec.adapter, output);
  // Before the runtime, whose message about an unknown operator is less helpful.
  const from = adapters.flatMap((a) => a.layer.calls.map((c) => c.output));
  requireRules(gradientPath(model.graph.nodes, undefined, [output], from).nodes);
  return {
    original,
    model,
    layers,
    adapters,
    leftOut,
    output,
    modelSize: weightCount(model),
    warnings: [...warnings, ...leftOutWarning(leftOut)],
  };
}

function weightCount({ graph }: Model): number {
  const weights = [...graph.initializers.values()].filter((t) => t.dims.length > 0 && !isWritten(t.name));
  return weights.reduce((n, t) => n + elementCount(t.dims), 0);
}
