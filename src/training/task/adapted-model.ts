import { tensorName } from '../../adapters/stored-tensors';
import { ownValues } from '../../adapters/merge';
import { layerValues } from '../../adapters/methods/layer-values';
import { methodOf } from '../../adapters/methods/registry';
import { type LayerAdapter, selectAdapters } from '../../adapters/targets/select';
import { matchNow } from '../../adapters/patterns/patterns';
import { matchTargets, patternsOf } from '../../adapters/targets/targets';
import { declaredOutputs, taskOutput } from '../../adapters/task-output';
import { POSITIONS, SCALED_AFTER, TASK_PREFIX } from '../../architectures/blocks/network';
import { loadModelFrom, type WeightForm } from '../../architectures/load';
import { modelSource, type ModelSource, requireTextToImage } from '../../architectures/model-source';
import { loadWithTextEncoders } from '../../architectures/pipeline';
import { taskPath } from '../../architectures/task-path';
import { AuroraError } from '../../base/errors';
import type { Experiment, ModelSpec } from '../../experiment/experiment';
import { type AdapterSpec, isHeadAlone } from '../../experiment/methods';
import { gradientPath, requireRules } from '../../graph/autodiff/differentiate';
import { isWritten } from '../../graph/builder';
import { loadModel } from '../../graph/file/load';
import { findLinearLayers, type LinearLayer } from '../../graph/layers/linear';
import { elementCount, type Graph, type Model } from '../../graph/model';
import { convolutionsAsLinear, pixelConvolutions } from '../../graph/passes/pixel-convolutions';
import { prepareModel } from '../../graph/prepare';
import { headLayer, type HeadLayer } from '../../graph/task-head';
import { tensorValues } from '../../graph/values';
import { type LeftOut, leftOutWarning } from '../../protocol/left-out';
import { copyForm, type CopyForm, quantizedCopy } from '../../quantize/cached';
import { HEAD_BIAS, HEAD_WEIGHT } from '../../tasks/head';

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
 * @param weights the types of a folder's weights; those of an experiment with quantized layers are what they are
 * @throws AuroraError where it cannot be used
 */
export function readModel(
  source: ModelSource,
  spec?: Pick<Experiment, 'model' | 'task' | 'training'>,
  weights?: WeightForm,
): BaseModel {
  const form = spec && quantizedForm(spec);
  const original = spec?.task.trainTextEncoder
    ? loadWithTextEncoders(requireTextToImage(source))
    : form
      ? loadModel(quantizedCopy(source, form))
      : loadModelFrom(source, weights);
  return withLinear({ source, original });
}

/**
 * A model with convolutions of single pixels as linear layers.
 *
 * @param paths of these; others stay convolutions, which "all-linear" leaves out as in PEFT
 */
export function withLinear(
  { source, original }: Pick<BaseModel, 'source' | 'original'>,
  paths: ReadonlySet<string> = new Set(),
): BaseModel {
  const graph = convolutionsAsLinear(original.graph, paths);
  const own = graph === original.graph ? original : { ...original, graph };
  const model = prepareModel(own);
  const prefix = own.metadata.get(TASK_PREFIX);
  const found = findLinearLayers(model.graph).map((layer): LinearLayer =>
    paths.has(layer.path) ? { ...layer, isConvolution: true } : layer,
  );
  const layers = prefix === undefined ? found : inTaskModel(found, prefix);
  return { source, original: own, model, layers };
}

/** The convolutions of single pixels that an experiment's targets name. */
function namedConvolutions(graph: Graph, adapter: AdapterSpec): Set<string> {
  if (isHeadAlone(adapter) || adapter.targetModules === 'all-linear') return new Set();
  const paths = [...pixelConvolutions(graph).keys()];
  if (paths.length === 0) return new Set();
  matchNow(patternsOf(adapter), paths);
  return new Set(matchTargets(paths, adapter).matched);
}

/** The form in which an experiment stores its model's weights; undefined: as they are. */
export const quantizedForm = ({
  model: { quantize },
  training: { precision },
}: Pick<Experiment, 'model' | 'training'>): CopyForm | undefined => copyForm(quantize, precision);

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
export function adaptTo(read: BaseModel, spec: Experiment): AdaptedModel {
  const convolutions = namedConvolutions(read.original.graph, spec.adapter);
  const base = convolutions.size > 0 ? withLinear(read, convolutions) : read;
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

/** @throws AuroraError 'model' if the model's folder has no head of labels */
function requireHeadLayer(model: Model, spec: Experiment): HeadLayer {
  const found = headLayer(model);
  if (found) return found;
  throw new AuroraError(
    'model',
    `task.headWeights is "model", but ${spec.model.path} has no classification head.`,
    'Use a folder whose config.json names a class such as BertForSequenceClassification, or remove task.headWeights to train a new head.',
  );
}

/**
 * The weights of the last layer of a model's own head.
 *
 * @param labels of the data
 * @throws AuroraError 'model' if there is none, or it has another number of labels
 */
export function ownHead(
  model: Model,
  spec: Experiment,
  labels: readonly string[],
): Map<string, Float32Array> {
  const { module, bias } = requireHeadLayer(model, spec);
  const tensor = (part: string) => model.graph.initializers.get(`${module}.${part}`)!;
  const [count] = tensor('weight').dims;
  if (count !== labels.length)
    throw new AuroraError(
      'model',
      `${spec.model.path}: its head (${module}) has ${count} labels, but the data has ${labels.length}: ${labels.slice(0, 5).join(', ')}${labels.length > 5 ? ' …' : ''}.`,
      'Name the labels in the data as id2label in config.json does, or remove task.headWeights to train a new head.',
    );
  return new Map([
    [HEAD_WEIGHT, tensorValues(tensor('weight')) as Float32Array],
    [HEAD_BIAS, bias ? (tensorValues(tensor('bias')) as Float32Array) : new Float32Array(count)],
  ]);
}

/**
 * Requires that a model has a position for each token of the longest text, as far as it states its number of positions,
 * and that packed texts have the positions that they have alone.
 *
 * @param packing true if texts share rows of up to maxLength tokens
 * @throws AuroraError 'experiment'
 */
export function requirePositions({ metadata }: Model, { path, maxLength }: ModelSpec, packing = false): void {
  const isLongerThan = (most: string | undefined) => most !== undefined && maxLength > Number(most);
  const most = metadata.get(POSITIONS);
  if (isLongerThan(most))
    throw new AuroraError(
      'experiment',
      `model.maxLength is ${maxLength}, but ${path} has positions for ${most} tokens.`,
      `Set model.maxLength to ${most} or less.`,
    );
  const scaled = metadata.get(SCALED_AFTER);
  if (packing && isLongerThan(scaled))
    throw new AuroraError(
      'experiment',
      `training.packing makes rows of up to ${maxLength} tokens (model.maxLength), but ${path} scales the positions of more than ${scaled} tokens in another way (rope_scaling).`,
      `Set model.maxLength to ${scaled} or less, or training.packing to false.`,
    );
}

/** The tensors with every adapter as the identity: the base model in the same session. */
export function withoutAdapters(
  adapters: readonly LayerAdapter[],
  parameters: ReadonlyMap<string, Float32Array>,
): Map<string, Float32Array> {
  const base = new Map(parameters);
  for (const adapter of adapters) {
    const { neutral } = methodOf(adapter.spec);
    const values = neutral(ownValues(adapter, parameters), adapter, layerValues(adapter.layer));
    for (const [name, data] of Object.entries(values)) base.set(tensorName(adapter, name), data);
  }
  return base;
}
