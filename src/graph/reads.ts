import type { Graph, Node } from './model';

/**
 * The tensors that a node reads from its graph, including the outer tensors of its subgraphs. Without '' for absent
 * inputs.
 */
export function readsOf(node: Node): string[] {
  const reads = node.inputs.filter((x) => x !== '');
  for (const a of node.attributes.values()) if (a.type === 'graph') reads.push(...outerReads(a.value));
  return reads;
}

/** The tensors that a body reads and does not define. Decoding limits the depth of bodies. */
function outerReads(body: Graph): Set<string> {
  const outer = new Set([...body.nodes.flatMap(readsOf), ...body.outputs.map((o) => o.name)]);
  for (const i of body.inputs) outer.delete(i.name);
  for (const name of body.initializers.keys()) outer.delete(name);
  for (const node of body.nodes) for (const y of node.outputs) outer.delete(y);
  return outer;
}

/** The nodes that take a tensor as an input, in order and with repeats; bodies are not searched. */
export function readersOf(graph: Graph): Map<string, Node[]> {
  const readers = new Map<string, Node[]>();
  for (const node of graph.nodes)
    for (const x of node.inputs) {
      const known = readers.get(x);
      if (known) known.push(node);
      else readers.set(x, [node]);
    }
  return readers;
}

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
