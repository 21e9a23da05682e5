import { attrInt } from '../attributes';
import { isFloat } from '../dtype';
import type { Graph, Node, Tensor } from '../model';
import { moduleOfParameter, scopeOf } from './module-path';

/** A weight (rows, width) of which nodes look up rows, under its module's path: embeddings. */
export interface Table {
  path: string;
  weight: Tensor;
  /** Each a Gather along the first axis. */
  lookups: Node[];
}

/** Every table of floats in a graph, in the order of their first use. */
export function findTables(graph: Graph): Table[] {
  const tables = new Map<Tensor, Table>();
  for (const node of graph.nodes) {
    const weight = graph.initializers.get(node.inputs[0] ?? '');
    if (node.opType !== 'Gather' || node.domain !== '' || attrInt(node, 'axis', 0) !== 0) continue;
    if (weight?.dims.length !== 2 || !isFloat(weight.dtype)) continue;
    const known = tables.get(weight);
    if (known) known.lookups.push(node);
    else {
      const path = moduleOfParameter(weight.name) ?? scopeOf(node) ?? weight.name;
      tables.set(weight, { path, weight, lookups: [node] });
    }
  }
  return [...tables.values()];
}
