import { append } from '../../base/gathered';
import { attrInt } from '../attributes';
import { isFloat } from '../dtype';
import type { Graph, Node, Tensor } from '../model';
import { readersOf } from '../reads';
import { findLinearLayers, type LinearLayer } from './linear';
import { moduleOfParameter } from './module-path';

/** Operators between the ids of tokens and an embedding that keep their values. */
const PASSES = new Set(['Identity', 'Cast', 'Reshape', 'Unsqueeze', 'Squeeze', 'Flatten']);

const INPUT = 'input_ids';

/**
 * The embeddings of tokens: tables (vocabulary, hidden) from which the ids of the input choose rows, as linear layers from
 * the vocabulary to hidden states. Their input is the ids instead of features. Those of positions are not included.
 */
export function findEmbeddings(graph: Graph): LinearLayer[] {
  const makers = new Map(graph.nodes.flatMap((n) => n.outputs.map((y) => [y, n] as const)));
  const isIds = (name: string): boolean => {
    if (name === INPUT) return true;
    const maker = makers.get(name);
    return maker !== undefined && PASSES.has(maker.opType) && isIds(maker.inputs[0]);
  };
  const calls = new Map<Tensor, Node[]>();
  for (const node of graph.nodes) {
    const table = node.opType === 'Gather' ? graph.initializers.get(node.inputs[0]) : undefined;
    if (
      table?.dims.length === 2 &&
      isFloat(table.dtype) &&
      attrInt(node, 'axis', 0) === 0 &&
      isIds(node.inputs[1])
    )
      append(calls, table, node);
  }
  const users = readersOf(graph);
  return [...calls].map(([table, nodes]) => layerOf(table, nodes, users.get(table.name) ?? []));
}

function layerOf(weight: Tensor, nodes: readonly Node[], users: readonly Node[]): LinearLayer {
  const [inFeatures, outFeatures] = weight.dims;
  return {
    path: moduleOfParameter(weight.name) ?? weight.name,
    inFeatures,
    outFeatures,
    weight,
    transposed: false,
    alpha: 1,
    plain: true,
    valueType: weight.dtype,
    calls: nodes.map((node) => ({ node, input: node.inputs[1], output: node.outputs[0] })),
    sharedWith: users.filter((n) => !nodes.includes(n)).map((n) => n.name || n.outputs[0]),
    hasBias: false,
    isEmbedding: true,
  };
}

/** Every layer that an adapter can be on: linear layers, also those of heads, and embeddings of tokens. */
export const adaptableLayers = (graph: Graph): LinearLayer[] => [
  ...findLinearLayers(graph, { heads: true }),
  ...findEmbeddings(graph),
];
