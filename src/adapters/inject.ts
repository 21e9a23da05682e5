import { GraphBuilder } from '../graph/builder';
import type { Graph, Node } from '../graph/model';
import { DType } from '../graph/dtype';
import type { TensorInfos } from '../graph/infos';
import { methodOf } from './registry';
import type { LayerAdapter } from './select';

/** Name of a trainable tensor in the graph: `<module path>.<A|B|H|W>`. */
export const tensorName = (adapter: LayerAdapter, short: string): string => `${adapter.layer.path}.${short}`;

/** Input that carries the dropout mask of one call of a layer (bool, the shape of the layer's input). */
export const maskName = (path: string, call: number): string => `${path}.dropout.${call}`;

export interface Injected {
  graph: Graph;
  /** z = A x of every call, by module path. */
  observed: Map<string, string[]>;
}

export interface InjectOptions {
  /**
   * Shapes of the layers' inputs: each call of a layer with dropout then gets a mask input of that shape. Left out for
   * evaluation, where nothing is dropped.
   */
  dropout?: TensorInfos;
  /** Names of an adapter's tensors by their short names; `tensorName` where it is left out. */
  names?: (adapter: LayerAdapter) => Record<string, string>;
}

const ownNames = (adapter: LayerAdapter): Record<string, string> =>
  Object.fromEntries(adapter.tensors.map((t) => [t.name, tensorName(adapter, t.name)]));

/**
 * Splices adapters into a graph: after each call of an adapted layer its output is renamed and the sum of
 * it and the adapter's delta takes its place. Works on the node list only; the adapter's tensors must be
 * inputs or initializers of the graph by their names.
 */
export function injectAdapters(
  graph: Graph,
  adapters: readonly LayerAdapter[],
  dtype: number,
  { dropout, names = ownNames }: InjectOptions = {},
): Injected {
  const calls = new Map<Node, { adapter: LayerAdapter; nth: number }>();
  for (const adapter of adapters)
    adapter.layer.calls.forEach((c, nth) => calls.set(c.node, { adapter, nth }));
  const nodes: Node[] = [];
  const result: Graph = {
    ...graph,
    nodes,
    inputs: [...graph.inputs],
    initializers: new Map(graph.initializers),
  };
  const g = new GraphBuilder({ ...result, nodes: graph.nodes }, '/aurora', nodes);
  const observed = new Map<string, string[]>();
  for (const node of graph.nodes) {
    const call = calls.get(node);
    if (!call) {
      nodes.push(node);
      continue;
    }
    const { adapter, nth } = call;
    const { spec, layer, form = 'dynamic' } = adapter;
    const output = node.outputs[0];
    const base = g.fresh('base');
    nodes.push({ ...node, outputs: [base] });
    let x = node.inputs[0];
    if (dropout && spec.dropout > 0) {
      const mask = g.addInput(maskName(layer.path, nth), DType.bool, dropout.get(x)!.shape);
      const keep = g.op('Mul', [
        g.op('Cast', [mask], { to: dtype }),
        g.scalar(1 / (1 - spec.dropout), dtype),
      ]);
      x = g.op('Mul', [x, keep]);
    }
    const { delta, z } = methodOf(spec).delta(g, x, names(adapter), spec, dtype, form);
    g.op('Add', [base, delta], {}, { outputs: [output] });
    observed.set(layer.path, [...(observed.get(layer.path) ?? []), z]);
  }
  return { graph: result, observed };
}
