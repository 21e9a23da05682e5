import { tensorName } from './stored-tensors';
import { AuroraError } from '../base/errors';
import { attrInt } from '../graph/attributes';
import { isFloat } from '../graph/dtype';
import type { LinearLayer } from '../graph/layers/linear';
import { placesOf, sorted } from '../graph/layers/sorted-input';
import { inFloat } from '../graph/layers/weight-operands';
import type { Graph, Model, Node, Tensor } from '../graph/model';
import { isDynamic } from '../graph/quantized/dynamic-quantization';
import { bnb4Of, isBnb4 } from '../graph/quantized/bnb4';
import { isNBits, nbitsOf } from '../graph/quantized/nbits';
import {
  type Requantized,
  requantizeBnb4,
  requantizeLinear,
  requantizeNBits,
} from '../graph/quantized/requantize';
import { readersOf } from '../graph/reads';
import { floatValues, tensorOf } from '../graph/values';
import type { RequantizedLayer } from '../protocol/export';
import { layerValues, placeOf } from './methods/layer-values';
import type { LayerChange, Values } from './methods/method';
import { methodOf } from './methods/registry';
import type { LayerAdapter } from './targets/select';

/** The changes of a graph by merging. */
export interface Merge {
  /** Replacements for weights and biases of the same name: same shape, same type. */
  changed: Map<string, Tensor>;
  /**
   * Copies of weights that something else reads too (a tied embedding): only the adapted layer's nodes get the changed
   * values. Also the biases of `biased`.
   */
  added: Map<string, Tensor>;
  /** Nodes that read one of those, and as which input. */
  rewired: Map<Node, { input: number; name: string }>;
  /** The replacements of nodes whose weight is computed (dequantized, cast): they read an added one. */
  replaced: Map<Node, Node[]>;
  /** Nodes of layers without a bias that could be changed, and the bias that is added to their output. */
  biased: Map<Node, string>;
}

/** The options of merging. */
export interface MergeOptions {
  /** Stores each merged tensor until it is written, so that memory need not hold them all. */
  keep?: (tensor: Tensor) => Tensor;
  /** Quantized weights are quantized again, as they were, rather than in floats. */
  requantize?: { graph: Graph; onLayer: (layer: RequantizedLayer) => void };
}

/**
 * W0 + ΔW for every adapter: the static form. It needs an extra node only where a layer without a bias gets one.
 *
 * @param adapters selected on the same graph that is merged into
 * @param values the adapters' tensors by `tensorName`
 */
export function mergedWeights(
  adapters: readonly LayerAdapter[],
  values: ReadonlyMap<string, Float32Array>,
  { keep = (t) => t, requantize }: MergeOptions = {},
): Merge {
  const merge: Merge = {
    changed: new KeptTensors(keep),
    added: new KeptTensors(keep),
    rewired: new Map(),
    replaced: new Map(),
    biased: new Map(),
  };
  for (const adapter of adapters) {
    const { layer } = adapter;
    if (adapter.beside === 'tied') continue;
    const { weight, bias } = layerChange(adapter, values);
    if (bias) mergeBias(merge, layer, bias);
    if (!weight) continue;
    if (requantize && layer.dequantize && !isFloat(layer.weight.dtype)) {
      requantize.onLayer(mergeQuantized(merge, requantize.graph, layer, weight));
      continue;
    }
    if (layer.firstColumn !== undefined && layer.sharedWith.length === 0) {
      mergeColumns(merge, layer, weight);
      continue;
    }
    if (layer.dequantize) {
      mergeComputed(merge, layer, layer.dequantize(), weight);
      continue;
    }
    const merged = mergedWeight(layer, weight);
    // A head with the embedding's weight changes with it.
    if (layer.sharedWith.length === 0 || layer.isEmbedding) {
      merge.changed.set(layer.weight.name, merged(layer.transposed, layer.weight.name));
      continue;
    }
    for (const { node } of layer.calls) {
      const outFirst = node.opType === 'Gemm' && node.attributes.get('transB')?.value === 1;
      const name = `${layer.path}.weight.merged${outFirst ? '' : '.transposed'}`;
      merge.added.set(name, merged(outFirst, name));
      merge.rewired.set(node, { input: 1, name });
    }
  }
  return merge;
}

class KeptTensors extends Map<string, Tensor> {
  constructor(private readonly keep: (tensor: Tensor) => Tensor) {
    super();
  }

  override set(name: string, tensor: Tensor): this {
    return super.set(name, this.keep(tensor));
  }
}

/** The layer in the form in which its weight was quantized, with the error that this form adds. */
function mergeQuantized(
  { changed, added, replaced }: Merge,
  graph: Graph,
  layer: LinearLayer,
  delta: ArrayLike<number>,
): RequantizedLayer {
  const values = layer.dequantize!();
  let [norm, change] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    values[i] += delta[i];
    norm += values[i] ** 2;
    change += delta[i] ** 2;
  }
  const { weight, scales, error, rewired } = quantizedAgain(graph, layer, values);
  const own = rewired.length > 0 ? [...rewired[0].inputs.values()] : [weight, scales];
  for (const t of own) (rewired.length > 0 ? added : changed).set(t.name, t);
  for (const { node, inputs } of rewired) {
    const renamed = node.inputs.map((x, i) => inputs.get(i)?.name ?? x);
    replaced.set(node, [{ ...node, inputs: renamed }]);
  }
  const ratio = (of: number) => (of > 0 ? Math.sqrt(error / of) : 0);
  return { path: layer.path, error: ratio(norm), share: ratio(change) };
}

/** Changes a layer's columns of a weight that it shares; another adapter may have changed other columns. */
function mergeColumns({ changed }: Merge, layer: LinearLayer, delta: ArrayLike<number>): void {
  const { inFeatures, outFeatures, weight } = layer;
  requireFloat(layer);
  const values = floatValues(changed.get(weight.name) ?? weight);
  for (let o = 0; o < outFeatures; o++)
    for (let i = 0; i < inFeatures; i++) values[placeOf(layer, o, i)] += delta[o * inFeatures + i];
  changed.set(weight.name, tensorOf(weight.name, weight.dtype, weight.dims, values));
}

/** The layer in floats, of the type in which the file computes: a change as small as an adapter's would not survive rounding to so few values. */
function mergeComputed(
  { added, replaced }: Merge,
  { path, inFeatures, outFeatures, calls, valueType }: LinearLayer,
  base: Float32Array,
  delta: ArrayLike<number>,
): void {
  const name = `${path}.weight.merged`;
  const values = new Float32Array(base.length);
  for (let o = 0; o < outFeatures; o++)
    for (let i = 0; i < inFeatures; i++) {
      const at = o * inFeatures + i;
      values[i * outFeatures + o] = base[at] + delta[at];
    }
  added.set(name, tensorOf(name, valueType, [inFeatures, outFeatures], values));
  for (const { node, input } of calls) replaced.set(node, inFloat(node, name, input));
}

function mergeBias(merge: Merge, layer: LinearLayer, change: ArrayLike<number>): void {
  const { changed, added, rewired, biased } = merge;
  if (!layer.bias || isRewired(layer)) {
    const name = `${layer.path}.bias.merged`;
    added.set(name, tensorOf(name, layer.valueType, [layer.outFeatures], change));
    for (const { node } of layer.calls) biased.set(node, name);
    return;
  }
  const { tensor, uses, shared, first } = layer.bias;
  if (first !== undefined && !shared) {
    const values = floatValues(changed.get(tensor.name) ?? tensor);
    for (let o = 0; o < layer.outFeatures; o++) values[first + o] += change[o];
    changed.set(tensor.name, tensorOf(tensor.name, tensor.dtype, tensor.dims, values));
    return;
  }
  const name = shared ? `${layer.path}.bias.merged` : tensor.name;
  const before = layerValues(layer).bias();
  const merged = tensorOf(
    name,
    tensor.dtype,
    tensor.dims,
    before.map((b, i) => b + change[i]),
  );
  (shared ? added : changed).set(name, merged);
  if (shared) for (const { node, input } of uses) rewired.set(node, { input, name });
}

/** True if the node that adds a shared bias reads another weight too after merging: only one of its inputs is replaced. */
function isRewired({ bias, calls, dequantize, sharedWith }: LinearLayer): boolean {
  if (!bias?.shared || (!dequantize && sharedWith.length === 0)) return false;
  return bias.uses.some(({ node }) => calls.some((call) => call.node === node));
}

/** The model with its adapters merged. */
export function mergeAdapters(
  model: Model,
  adapters: readonly LayerAdapter[],
  values: ReadonlyMap<string, Float32Array>,
): Model {
  const merge = mergedWeights(adapters, values);
  const initializers = new Map([...model.graph.initializers, ...merge.changed, ...merge.added]);
  const nodes = model.graph.nodes.flatMap((n) => mergedNodes(n, merge));
  return { ...model, graph: { ...model.graph, initializers, nodes } };
}

/** The nodes that take a node's place: the node itself if it reads nothing that is merged. */
export function mergedNodes(node: Node, merge: Merge): Node[] {
  const bias = merge.biased.get(node);
  if (bias === undefined) return withMerged(node, merge);
  const [output] = node.outputs;
  const before = `${output}/unbiased`;
  const nodes = withMerged(node, merge).map((n) => ({
    ...n,
    outputs: n.outputs.map((y) => (y === output ? before : y)),
  }));
  const add = { opType: 'Add', domain: '', attributes: new Map(), metadata: new Map() };
  return [...nodes, { ...add, name: `${before}/Add`, inputs: [before, bias], outputs: [output] }];
}

function withMerged(node: Node, { rewired, replaced }: Merge): Node[] {
  const instead = replaced.get(node);
  if (instead) return instead;
  const own = rewired.get(node);
  return [own ? { ...node, inputs: node.inputs.map((x, i) => (i === own.input ? own.name : x)) } : node];
}

/** The result of one adapter's static form. */
export const layerChange = (adapter: LayerAdapter, values: ReadonlyMap<string, Float32Array>): LayerChange =>
  methodOf(adapter.spec).change(ownValues(adapter, values), adapter, layerValues(adapter.layer));

export const ownValues = (a: LayerAdapter, values: ReadonlyMap<string, Float32Array>): Values =>
  Object.fromEntries(a.tensors.map((t) => [t.name, values.get(tensorName(a, t.name))!]));

/** W0 + ΔW as a function of the requested layout: (out, in) or (in, out). */
function mergedWeight(
  layer: LinearLayer,
  delta: ArrayLike<number>,
): (outFirst: boolean, name: string) => Tensor {
  const { inFeatures, outFeatures, weight, alpha } = layer;
  requireFloat(layer);
  const base = floatValues(weight);
  return (outFirst, name) => {
    const out = new Float32Array(inFeatures * outFeatures);
    for (let o = 0; o < outFeatures; o++)
      for (let i = 0; i < inFeatures; i++) {
        const to = outFirst ? o * inFeatures + i : i * outFeatures + o;
        out[to] = base[placeOf(layer, o, i)] + delta[o * inFeatures + i] / alpha;
      }
    return tensorOf(
      name,
      weight.dtype,
      outFirst ? [outFeatures, inFeatures] : [inFeatures, outFeatures],
      out,
    );
  };
}

function requireFloat({ path, plain, weight }: LinearLayer): void {
  if (!plain || !isFloat(weight.dtype))
    throw new AuroraError(
      'model',
      `The weight of ${path} is not stored as floats (${weight.name}), so no adapter can be merged into it.`,
      'Export with --as onnx-dynamic, which leaves the weights as they are.',
    );
}

/** A weight in the quantized form that it had before. */
export interface QuantizedAgain extends Requantized {
  /** If something else reads the weight or its scales too: the layer's own nodes, with other inputs in their place. */
  rewired: { node: Node; inputs: Map<number, Tensor> }[];
}

/**
 * The values (out, in) of a layer with a quantized weight, in that form again: bits, blocks, types and zero points stay.
 *
 * @param graph the one that is merged into
 * @throws AuroraError 'model' for a weight that is not stored as integers, or cannot be changed for this layer alone
 */
function quantizedAgain(graph: Graph, layer: LinearLayer, values: Float32Array): QuantizedAgain {
  const constant = (name: string): Tensor | undefined => graph.initializers.get(name);
  const { path, weight, calls } = layer;
  const users = readersOf(graph);
  const nodes = [...new Set(calls.map((c) => c.node))];
  const [first] = nodes;
  if (isNBits(first)) {
    const { order } = layer;
    const stored = order === undefined ? values : sorted(values, placesOf(graph, { order }));
    const made = requantizeNBits(nbitsOf(first, constant), stored);
    return { ...made, rewired: isOwn(made, nodes) ? [] : renamed(made, nodes, 1) };
  }
  if (isBnb4(first)) {
    const made = requantizeBnb4(bnb4Of(first, constant), values);
    return { ...made, rewired: isOwn(made, nodes) ? [] : renamed(made, nodes, 1) };
  }
  const dynamic = isDynamic(first);
  const reader = dynamic ? first : users.get(weight.name)?.find((n) => n.opType === 'DequantizeLinear');
  if (!reader || (!dynamic && reader.inputs[0] !== weight.name)) throw notQuantized(path);
  const [s, z] = reader.inputs.slice(dynamic ? 2 : 1);
  const form = {
    weight,
    scale: constant(s)!,
    zero: constant(z),
    axis: dynamic ? 1 : attrInt(reader, 'axis', 1),
    blockSize: dynamic ? 0 : attrInt(reader, 'block_size', 0),
  };
  const made = requantizeLinear(form, inOrder(layer, values));
  const readers = dynamic ? nodes : [reader];
  // If the file has several operators for this one, each reads one of them.
  const inFile = graph.nodes.includes(reader);
  const isAlone = inFile ? isOwn(made, readers) : users.get(s)!.length === nodes.length;
  if (layer.sharedWith.length > 0 || (!inFile && !isAlone)) throw shared(path, made.weight.name);
  return { ...made, rewired: isAlone ? [] : renamed(made, readers, dynamic ? 1 : 0) };

  function isOwn(made: Requantized, readers: readonly Node[]): boolean {
    const others = [made.weight, made.scales].flatMap((t) => users.get(t.name)!);
    return others.every((n) => readers.includes(n));
  }

  /** The scales are the input after the weight. */
  function renamed(made: Requantized, readers: readonly Node[], input: number): QuantizedAgain['rewired'] {
    const own = (t: Tensor, ending: string): Tensor => ({ ...t, name: `${path}.weight.merged${ending}` });
    const inputs = new Map([
      [input, own(made.weight, '')],
      [input + 1, own(made.scales, '.scales')],
    ]);
    return readers.map((node) => ({ node, inputs }));
  }
}

/** Values (out, in) in the order of the stored weight, without Gemm's alpha. */
function inOrder({ inFeatures, outFeatures, transposed, alpha }: LinearLayer, values: Float32Array) {
  if (transposed) return alpha === 1 ? values : values.map((v) => v / alpha);
  const out = new Float32Array(values.length);
  for (let o = 0; o < outFeatures; o++)
    for (let i = 0; i < inFeatures; i++) out[i * outFeatures + o] = values[o * inFeatures + i] / alpha;
  return out;
}

const notQuantized = (path: string): AuroraError =>
  new AuroraError(
    'model',
    `The weight of ${path} is computed from another type, but not from integers, so it cannot be quantized again.`,
    'Export without --requantize.',
  );

const shared = (path: string, name: string): AuroraError =>
  new AuroraError(
    'model',
    `${path} shares its quantized weight ${name}, or its scale, with other nodes, so it cannot be quantized again for this layer alone.`,
    'Export without --requantize, or leave the layer out with adapter.excludeModules.',
  );
