import { isWritten } from './builder';
import { gradientPath } from './autodiff/differentiate';
import { ruleFor } from './autodiff/rule-registry';
import { dtypeName } from './dtype';
import { findLinearLayers, type LinearLayer, outputLayers } from './layers/linear';
import { elementCount, type Dim, type Graph, type Model } from './model';
import { cacheInputs } from './without-past';
import { prepareModel } from './prepare';
import { isDynamic } from './quantized/dynamic-quantization';
import { looksUpFewBits, valuesEach } from './quantized/lookup';
import { scalesOf } from './quantized/dequantize';
import { outputsReached } from './reach';
import { activeShare, isRouted } from './routed';

export interface ModelSummary {
  producer: string;
  opset: number;
  parameters: number;
  /** The number that each token is multiplied by, if it is another: of a mixture of experts. */
  activeParameters?: number;
  inputs: { name: string; type: string; shape: Dim[] | undefined }[];
  outputs: { name: string; type: string; shape: Dim[] | undefined }[];
  layers: LayerSummary[];
  /** Layers with a key/value cache in the file; training and the lists above leave its inputs and outputs out. */
  cachedLayers?: number;
  /** Operators without gradients between a linear layer and an output. */
  missingRules: { operator: string; nodes: string[] }[];
  /** Paths of the layers below one of these: their adapters cannot be trained. */
  blocked: string[];
}

/** The facts about a model that its files state and a graph does not. */
export interface StoredModel {
  /** model_type of a folder from the hub, or diffusers' class. */
  family?: string;
  /** True if a folder's model is a decoder: each token sees those before it alone. */
  decoder?: true;
  /** The number of tokens that it has positions for, if that is limited and known. */
  positions?: number;
  /** The types of the stored weights: bytes by type, the most first. */
  weights: StoredWeight[];
  /** The other models of a pipeline. */
  parts?: { name: string; family: string; parameters: number; weights: StoredWeight[] }[];
}

export interface StoredWeight {
  type: string;
  bytes: number;
}

export interface LayerSummary {
  path: string;
  inFeatures: number;
  outFeatures: number;
  calls: number;
  operator: string;
  sharedWith: string[];
  /** True if an adapter can be merged into the weight; training always works. */
  mergeable: boolean;
  /** True if its output is the model's own: "all-linear" leaves it out. */
  output: boolean;
  /** It is a router or an expert: "all-linear" leaves it out. */
  routed?: true;
  hasBias: boolean;
  /** Names of the model outputs that depend on it: an adapter learns only from a loss on one of these. */
  reaches: string[];
}

/**
 * The parts of a model that adapters can use, read from its file alone: no runtime is loaded, so it is safe on any
 * file.
 */
export const summarize = (model: Model): ModelSummary => summarizePrepared(model, prepareModel(model));

/** The summary of a model that has been prepared already. */
export function summarizePrepared(model: Model, { graph }: Model): ModelSummary {
  const layers = findLinearLayers(graph);
  const outputs = new Set(outputLayers(graph, layers));
  const reached = outputsReached(
    graph,
    layers,
    graph.outputs.map((o) => o.name),
  );
  const cachedLayers = cacheInputs(model.graph).length / 2;
  const describe = (v: (typeof graph.inputs)[number]) => ({
    name: v.name,
    type: dtypeName(v.dtype),
    shape: v.shape,
  });
  const parameters = parameterCount(graph, layers);
  const idle = idleParameters(layers);
  return {
    producer: model.producer,
    opset: model.opsets.get('') ?? 0,
    parameters,
    ...(idle > 0 && { activeParameters: parameters - idle }),
    inputs: graph.inputs.filter((i) => !graph.initializers.has(i.name)).map(describe),
    outputs: graph.outputs.map(describe),
    ...(cachedLayers > 0 && { cachedLayers }),
    layers: layers.map((l) => summarizeLayer(l, outputs.has(l.path), reached.get(l.path)!)),
    ...missingRules(graph, layers),
  };
}

/**
 * The number of parameters. Quantized weights count as the values that they stand for, without scales and zero points.
 */
function parameterCount(graph: Graph, layers: readonly LinearLayer[]): number {
  const quantized = layers.filter((l) => l.dequantize);
  const weights = new Map(quantized.map((l) => [l.weight.name, l.inFeatures * l.outFeatures]));
  const scales = new Set(graph.nodes.flatMap(scalesOf));
  for (const node of graph.nodes.filter(looksUpFewBits)) {
    const table = graph.initializers.get(node.inputs[0]);
    if (table) weights.set(table.name, elementCount(table.dims) * valuesEach(node, table.dtype));
  }
  let count = 0;
  for (const { name, dims } of graph.initializers.values())
    if (dims.length > 0 && !scales.has(name) && !isWritten(name))
      count += weights.get(name) ?? elementCount(dims);
  return count;
}

/** The parameters of experts that a token does not have. */
function idleParameters(layers: readonly LinearLayer[]): number {
  const idle = layers.map(({ calls, inFeatures, outFeatures, hasBias }) => {
    const parameters = outFeatures * (inFeatures + (hasBias ? 1 : 0));
    return parameters * (1 - activeShare(calls[0].node));
  });
  return Math.round(idle.reduce((a, b) => a + b, 0));
}

const summarizeLayer = (l: LinearLayer, output: boolean, reaches: string[]): LayerSummary => ({
  path: l.path,
  inFeatures: l.inFeatures,
  outFeatures: l.outFeatures,
  calls: l.calls.length,
  operator: l.calls[0].node.opType,
  sharedWith: l.sharedWith,
  mergeable: l.plain || (l.dequantize !== undefined && !isDynamic(l.calls[0].node)),
  output,
  ...(isRouted(l.calls[0].node) && { routed: true }),
  hasBias: l.hasBias,
  reaches,
});

function missingRules(graph: Graph, layers: LinearLayer[]): Pick<ModelSummary, 'missingRules' | 'blocked'> {
  const from = layers.flatMap((l) => l.calls.map((c) => c.output));
  const path = gradientPath(
    graph.nodes,
    undefined,
    graph.outputs.map((o) => o.name),
    from,
  );
  const found = new Map<string, string[]>();
  /** Tensors that such an operator reads, or that lead to one. */
  const below = new Set<string>();
  for (const n of [...path.nodes].reverse()) {
    const missing = !ruleFor(n);
    if (missing || n.outputs.some((y) => below.has(y))) n.inputs.forEach((x) => below.add(x));
    if (!missing) continue;
    const operator = n.domain ? `${n.domain}.${n.opType}` : n.opType;
    found.set(operator, [n.name || n.outputs[0], ...(found.get(operator) ?? [])]);
  }
  const blocked = layers.filter((l) => l.calls.some((c) => below.has(c.output))).map((l) => l.path);
  return {
    missingRules: [...found].reverse().map(([operator, nodes]) => ({ operator, nodes })),
    blocked,
  };
}
