import { attrFloat } from '../attributes';
import { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import type { Graph, Model, Node, Tensor } from '../model';
import { prune } from '../prune';
import { readsOf } from '../reads';

/** Operators that only change the layout of their first input. */
const VIEWS = ['Transpose', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze'];

/**
 * The float32 matrices of a model that only matrix products and table look-ups read, also through a transpose: a device
 * may compute their products in float16 (`withHalfWeights`).
 *
 * @param graph forward, or forward and backward
 * @param own the user's original graph: constants of adapters and of gradient rules stay unchanged
 */
export function halvableWeights(graph: Graph, own: Graph): Tensor[] {
  // A former node output may since have been folded into a constant.
  const names = new Set([...own.initializers.keys(), ...own.nodes.flatMap((n) => n.outputs)]);
  /** Tensors that something reads in float32. Runs backward, so that a view is known before its source. */
  const kept = new Set(graph.outputs.map((x) => x.name));
  for (const node of [...graph.nodes].reverse()) {
    const last = node.domain === '' ? lastHalfInput(node) : -1;
    const isKeptView = VIEWS.includes(node.opType) && kept.has(node.outputs[0]);
    node.inputs.forEach((x, i) => {
      if (i > last || isKeptView) kept.add(x);
    });
    for (const x of readsOf(node)) if (!node.inputs.includes(x)) kept.add(x);
  }
  return [...graph.initializers.values()].filter(
    (t) => t.dtype === DType.float && t.dims.length > 1 && names.has(t.name) && !kept.has(t.name),
  );
}

/** The last of a node's inputs that may become float16; -1 if none may. */
function lastHalfInput({ opType }: Node): number {
  if (opType === 'MatMul' || opType === 'Gemm') return 1;
  return opType === 'Gather' || VIEWS.includes(opType) ? 0 : -1;
}

/**
 * A copy of a model that reads float16 weights in place of float32 ones: the other factor is rounded to float16 first,
 * and the product continues in float32. A bias is added in float32.
 *
 * @param halves by the name of the weight each replaces, all of them `halvableWeights`
 */
export function withHalfWeights(model: Model, halves: ReadonlyMap<string, Tensor>): Model {
  const graph: Graph = {
    ...model.graph,
    initializers: new Map(model.graph.initializers),
    inputs: [...model.graph.inputs],
  };
  const nodes: Node[] = [];
  const g = new GraphBuilder(graph, '/half', nodes);
  /** The float16 tensor that stands for a float32 one. */
  const half = new Map<string, string>();
  for (const [name, tensor] of halves)
    if (graph.initializers.has(name)) half.set(name, g.addInitializer(tensor));
  const weights = new Set(half.keys());
  const rounded = (x: string): string => {
    if (!half.has(x)) half.set(x, g.op('Cast', [x], { to: DType.float16 }));
    return half.get(x)!;
  };
  for (const node of graph.nodes) {
    const { opType, inputs, outputs } = node;
    const last = node.domain === '' ? lastHalfInput(node) : -1;
    if (!inputs.slice(0, last + 1).some((x) => weights.has(x))) {
      nodes.push(node);
      continue;
    }
    const product = g.fresh(opType);
    const factors = inputs.slice(0, last + 1).map(rounded);
    const others = opType === 'Gemm' ? [] : inputs.slice(last + 1);
    nodes.push({ ...node, inputs: [...factors, ...others], outputs: [product] });
    if (VIEWS.includes(opType)) {
      half.set(outputs[0], product);
      weights.add(outputs[0]);
    } else if (opType === 'Gemm' && inputs[2]) {
      const sum = [g.op('Cast', [product], { to: DType.float }), scaledBias(g, node)];
      g.op('Add', sum, {}, { outputs, name: g.fresh('Add') });
    } else g.op('Cast', [product], { to: DType.float }, { outputs, name: g.fresh('Cast') });
  }
  return { ...model, graph: prune({ ...graph, nodes }) };
}

function scaledBias(g: GraphBuilder, gemm: Node): string {
  const beta = attrFloat(gemm, 'beta', 1);
  return beta === 1 ? gemm.inputs[2] : g.op('Mul', [gemm.inputs[2], g.scalar(beta, DType.float)]);
}
