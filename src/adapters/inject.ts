import { append } from '../base/gathered';
import { GraphBuilder } from '../graph/builder';
import type { Graph, Node } from '../graph/model';
import { DType } from '../graph/dtype';
import type { TensorInfos } from '../graph/tensor-infos';
import { attrFloat, attrInt, toAttribute, type AttributeLike } from '../graph/attributes';
import { tensorOf } from '../graph/values';
import type { LayerCall } from './methods/method';
import type { LinearLayer } from '../graph/layers/linear';
import { ownBias, inFloat } from '../graph/layers/weight-operands';
import { isBnb4 } from '../graph/quantized/bnb4';
import { isDynamic } from '../graph/quantized/dynamic-quantization';
import { isNBits } from '../graph/quantized/nbits';
import { layerValues } from './methods/layer-values';
import { methodOf } from './methods/registry';
import { ownNames, tensorName } from './stored-tensors';
import { dropoutOf, type LayerAdapter } from './targets/select';

/** The short name of a 0-dimensional tensor by which an adapter's delta is multiplied, if it has one. */
export const STRENGTH = 'strength';

/** Input for the dropout mask of one call of a layer (bool, the shape of the layer's input). */
export const maskName = (path: string, call: number): string => `${path}.dropout.${call}`;

export interface Injected {
  graph: Graph;
  /** z = A x of every call, by module path; only for methods that have it. */
  observed: Map<string, string[]>;
  /** No gradient passes through these. */
  stop: string[];
}

export interface InjectOptions {
  /**
   * Shapes of the layers' inputs: each call of a layer with dropout then gets a mask input of that shape. Omit for
   * evaluation, where nothing is dropped.
   */
  dropout?: TensorInfos;
  /** Names of an adapter's tensors by their short names; `tensorName` if omitted. */
  names?: (adapter: LayerAdapter) => Record<string, string>;
}

/**
 * Splices adapters into a graph: after each call of an adapted layer, its output is renamed, and the sum of it and the
 * deltas of its adapters takes its place. Each delta is that of an adapter on the layer alone. Edits only the node list;
 * the adapters' tensors must be inputs or initializers of the graph under their names.
 */
export function injectAdapters(
  graph: Graph,
  adapters: readonly LayerAdapter[],
  dtype: number,
  { dropout, names = ownNames }: InjectOptions = {},
): Injected {
  const calls = new Map<Node, { adapter: LayerAdapter; nth: number }[]>();
  for (const adapter of adapters)
    adapter.layer.calls.forEach((c, nth) => append(calls, c.node, { adapter, nth }));
  const nodes: Node[] = [];
  const result: Graph = {
    ...graph,
    nodes,
    inputs: [...graph.inputs],
    initializers: new Map(graph.initializers),
  };
  const g = new GraphBuilder({ ...result, nodes: graph.nodes }, '/aurora', nodes);
  const observed = new Map<string, string[]>();
  const stop: string[] = [];
  for (const node of graph.nodes) {
    const called = calls.get(node);
    if (!called) {
      nodes.push(node);
      continue;
    }
    const namesOf = (adapter: LayerAdapter) => ({ ...names(adapter), ...frozenNames(g, adapter, dtype) });
    // A weight that replaces the layer's is the only adapter there (stack.ts).
    const { weight, delta: addedBy } = methodOf(called[0].adapter.spec);
    if (weight) {
      const { adapter, nth } = called[0];
      const p = namesOf(adapter);
      const base = g.fresh('base');
      const call = layerCall(g, adapter.layer, nth, inputOf(called[0]), base);
      const added = addedBy?.(g, call, p, adapter, dtype, adapter.form ?? 'dynamic');
      const own = added ? { ...node, outputs: [base] } : node;
      if (isQuantized(node)) nodes.push(...inFloat(own, g.op('Transpose', [p[weight]]), inputOf(called[0])));
      else nodes.push(withWeight(g, own, p[weight]));
      if (added) g.op('Add', [base, added.delta], {}, { outputs: node.outputs, name: `${base}/Add` });
      continue;
    }
    const output = node.outputs[0];
    const base = g.fresh('base');
    nodes.push({ ...node, outputs: [base] });
    let sum = base;
    called.forEach(({ adapter, nth }, i) => {
      const { spec, layer, form = 'dynamic' } = adapter;
      const p = namesOf(adapter);
      let x = layer.calls[nth].input;
      const rate = dropoutOf(spec);
      if (dropout && rate > 0) {
        const mask = g.addInput(maskName(layer.path, nth), DType.bool, dropout.get(x)!.shape);
        const keep = g.op('Mul', [g.op('Cast', [mask], { to: dtype }), g.scalar(1 / (1 - rate), dtype)]);
        x = g.op('Mul', [x, keep]);
      }
      const call = layerCall(g, layer, nth, x, base);
      const fragment = methodOf(spec).delta!(g, call, p, adapter, dtype, form)!;
      const delta = p[STRENGTH] ? g.op('Mul', [fragment.delta, p[STRENGTH]]) : fragment.delta;
      // The layer's own node may have the name of its output, and ONNX Runtime takes no two nodes of one name.
      const last = i === called.length - 1 ? { outputs: [output], name: `${base}/Add` } : {};
      sum = g.op('Add', [sum, delta], {}, last);
      if (fragment.z) append(observed, layer.path, fragment.z);
      stop.push(...(fragment.stop ?? []));
    });
  }
  return { graph: result, observed, stop };
}

/**
 * Adds the adapter's frozen tensors to the graph, those shared between layers once; returns their names by short name.
 */
function frozenNames(g: GraphBuilder, adapter: LayerAdapter, dtype: number): Record<string, string> {
  const frozen = methodOf(adapter.spec).frozen?.(adapter) ?? [];
  const base = layerValues(adapter.layer);
  return Object.fromEntries(
    frozen.map((t) => {
      const name = t.shared ? `/aurora/${t.shared}` : tensorName(adapter, t.name);
      if (!g.graph.initializers.has(name)) g.addInitializer(tensorOf(name, dtype, t.dims, t.values(base)));
      return [t.name, name];
    }),
  );
}

/** The features that an adapted layer reads, in the order of its module. */
const inputOf = ({ adapter, nth }: { adapter: LayerAdapter; nth: number }): string =>
  adapter.layer.calls[nth].input;

function layerCall(g: GraphBuilder, layer: LinearLayer, nth: number, x: string, base: string): LayerCall {
  const { node, input } = layer.calls[nth];
  const [, weight] = node.inputs;
  const own = ownBias(node);
  const bias = own ? node.inputs[own] : undefined;
  const again = (rows: string, changed: Record<string, AttributeLike> = {}) => {
    const features = layer.order === undefined ? rows : g.op('Gather', [rows, layer.order], { axis: -1 });
    const inputs = [features, ...node.inputs.slice(1, own || undefined)];
    const attributes = { ...Object.fromEntries(node.attributes), ...changed };
    return g.op(node.opType, inputs, attributes, { domain: node.domain });
  };
  return {
    x,
    product(other = x) {
      if (other !== input) return again(other);
      return bias ? g.op('Sub', [base, bias]) : base;
    },
    weight() {
      if (isQuantized(node)) return valuesInGraph(g, layer);
      const rows = outFirst(node) ? weight : g.op('Transpose', [weight]);
      const alpha = attrFloat(node, 'alpha', 1);
      return alpha === 1 ? rows : g.op('Mul', [rows, g.scalar(alpha, layer.valueType)]);
    },
    weightTimes(A, At) {
      // A must not be rounded to 8 bits, as accuracy_level may allow for inputs.
      if (isBnb4(node)) return g.op('Transpose', [again(A)]);
      if (isNBits(node)) return g.op('Transpose', [again(A, { accuracy_level: 0 })]);
      if (isDynamic(node)) return g.op('Transpose', [g.op('MatMul', [A, dequantizedInGraph(g, node)])]);
      return outFirst(node) ? g.op('MatMul', [weight, At]) : g.op('Transpose', [g.op('MatMul', [A, weight])]);
    },
    alpha: attrFloat(node, 'alpha', 1),
  };
}

/** The weight (in, out) of a DynamicQuantizeMatMul: A must not be rounded as inputs are. */
const dequantizedInGraph = (g: GraphBuilder, { inputs: [, weight, scale, zero] }: Node): string =>
  g.op('DequantizeLinear', zero ? [weight, scale, zero] : [weight, scale], { axis: 1 });

/** The weight (out, in) of an operator that unpacks it, as floats: once for all calls. */
function valuesInGraph(g: GraphBuilder, layer: LinearLayer): string {
  const name = `/aurora/${layer.path}.weight`;
  const { inFeatures, outFeatures } = layer;
  return g.graph.initializers.has(name)
    ? name
    : g.addInitializer(tensorOf(name, DType.float, [outFeatures, inFeatures], layerValues(layer).weight()));
}

const isQuantized = (node: Node): boolean => isNBits(node) || isBnb4(node) || isDynamic(node);

const outFirst = (node: Node): boolean => attrInt(node, 'transB', 0) === 1;

/** The layer's node with a trained weight (out, in) that already includes Gemm's alpha. */
function withWeight(g: GraphBuilder, node: Node, weight: string): Node {
  const attributes = new Map(node.attributes);
  if (node.opType === 'Gemm') attributes.set('alpha', toAttribute({ float: 1 }));
  const own = outFirst(node) ? weight : g.op('Transpose', [weight]);
  return { ...node, attributes, inputs: node.inputs.map((x, i) => (i === 1 ? own : x)) };
}
