import { selectAdapters, type LayerAdapter } from '../../adapters/targets/select';
import { declaredOutputs, taskOutput } from '../../adapters/task-output';
import { gradientPath, requireRules } from '../../graph/autodiff/differentiate';
import { findLinearLayers, type LinearLayer } from '../../graph/layers/linear';
import { TASK_PREFIX } from '../../architectures/blocks/network';
import { loadModelFrom } from '../../architectures/load';
import { modelSource, requireTextToImage, type ModelSource } from '../../architectures/model-source';
import { loadWithTextEncoders } from '../../architectures/pipeline';
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
export interface AdaptedModel extends BaseModel {
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
  source: ModelSource;
  /** The model as in the file; merged exports edit this one. */
  original: Model;
  /** At the internal opset. */
  model: Model;
  layers: LinearLayer[];
}

/**
 * Reads a model as an experiment trains it: with quantized layers, or text encoders and U-Net in one. Without an
 * experiment, it is as stored.
 *
 * @throws AuroraError where it cannot be used
 */
export function readModel(source: ModelSource, spec?: Pick<Experiment, 'model' | 'task'>): BaseModel {
  const quantize = spec?.model.quantize;
  const original = spec?.task.trainTextEncoder
    ? loadWithTextEncoders(requireTextToImage(source))
    : quantize
      ? loadModel(quantizedCopy(source, quantize))
      : loadModelFrom(source);
  const model = prepareModel(original);
  const prefix = original.metadata.get(TASK_PREFIX);
  const layers = findLinearLayers(model.graph);
  return { source, original, model, layers: prefix === undefined ? layers : inTaskModel(layers, prefix) };
}

/** The layers with their paths in transformers' task models, for adapters in PEFT's layout. */
const inTaskModel = (layers: readonly LinearLayer[], prefix: string): LinearLayer[] =>
  layers.map((l) => ({ ...l, pytorchPath: taskPath(l.path, prefix) }));

/**
 * @param source of the experiment's model, if it is known
 * @throws AuroraError if the file, a target, a rank or an operator cannot be used
 */
export const adaptModel = (spec: Experiment, source = modelSource(spec.model.path)): AdaptedModel =>
  adaptTo(readModel(source, spec), spec);

/** Adapts a model that has already been read. */
export function adaptTo(base: BaseModel, spec: Experiment): AdaptedModel {
  const { original, model, layers } = base;
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
    ...base,
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
