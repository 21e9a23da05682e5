import { isFloat } from '../graph/dtype';
import type { LinearLayer } from '../graph/layers/linear';
import { inFloat } from '../graph/layers/in-float';
import type { Graph, Model, Node, Tensor } from '../graph/model';
import { floatValues, tensorOf } from '../graph/values';
import { AuroraError } from '../base/errors';
import type { RequantizedLayer } from '../protocol/export';
import { tensorName } from './inject';
import { quantizedAgain } from './merge-quantized';
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
   * values.
   */
  added: Map<string, Tensor>;
  /** Nodes that read one of those, and as which input. */
  rewired: Map<Node, { input: number; name: string }>;
  /** The replacements of nodes whose weight is computed (dequantized, cast): they read an added one. */
  replaced: Map<Node, Node[]>;
}

/** The options of merging. */
export interface MergeOptions {
  /** Stores each merged tensor until it is written, so that memory need not hold them all. */
  keep?: (tensor: Tensor) => Tensor;
  /** Quantized weights are quantized again, as they were, rather than in floats. */
  requantize?: { graph: Graph; onLayer: (layer: RequantizedLayer) => void };
}

/**
 * W0 + ΔW for every adapter: the static form, without extra nodes.
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
  };
  for (const adapter of adapters) {
    const { layer } = adapter;
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
    if (layer.sharedWith.length === 0) {
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
  for (const { node } of calls) replaced.set(node, inFloat(node, name));
}

function mergeBias({ changed, added, rewired }: Merge, layer: LinearLayer, change: ArrayLike<number>): void {
  const { tensor, uses, shared, first } = layer.bias!;
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
export function mergedNodes(node: Node, { rewired, replaced }: Merge): Node[] {
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
