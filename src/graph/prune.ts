import type { Graph, Node } from './model';
import { readsOf } from './reads';

/** The graph without nodes, constants and inputs that its outputs do not need. */
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

/** The pruned graph with all its inputs: callers need not know which of them are used. */
export const withoutUnused = (graph: Graph): Graph => ({ ...prune(graph), inputs: graph.inputs });
