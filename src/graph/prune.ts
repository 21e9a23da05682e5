import type { Graph, Node } from './model';
import { readsOf } from './reads';

/** The graph without what its outputs do not need: nodes, constants and inputs alike. */
export function prune(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map((o) => o.name));
  const kept: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((o) => needed.has(o))) continue;
    kept.push(node);
    readsOf(node).forEach((x) => needed.add(x));
  }
  return {
    ...graph,
    nodes: kept.reverse(),
    initializers: new Map([...graph.initializers].filter(([name]) => needed.has(name))),
    inputs: graph.inputs.filter((i) => needed.has(i.name)),
  };
}

/** The same with all its inputs: who calls it need not know which of them count. */
export const withoutUnused = (graph: Graph): Graph => ({ ...prune(graph), inputs: graph.inputs });
