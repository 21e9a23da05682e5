import type { Graph, Node } from './model';

/** Their result depends only on a tensor's size, not on its contents. */
const SHAPE_ONLY = ['Shape', 'Size'];

/**
 * The last tensor through which everything that the `moving` tensors receive from the graph's `inputs` passes: given
 * its value, nothing before it has to be computed. Undefined if only the inputs themselves qualify.
 *
 * @param inputs names of the inputs that count; values derived from the others are computed anyway
 * @param moving tensors that change, with everything derived from them
 * @param output the tensor that the moving tensors lead to
 * @param accept returns true for a tensor that may be used
 */
export function separator(
  graph: Graph,
  inputs: readonly string[],
  moving: readonly string[],
  output: string,
  accept: (tensor: string) => boolean,
): string | undefined {
  const changed = reached(graph.nodes, new Set(moving));
  for (const node of graph.nodes) if (node.outputs.some((o) => moving.includes(o))) changed.add(node);
  const fixed = graph.nodes.filter((n) => !changed.has(n));
  const wanted = new Set([output, ...[...changed].flatMap((n) => (isShape(n) ? [] : n.inputs))]);
  const candidates = fixed
    .flatMap((n) => n.outputs)
    .filter(accept)
    .reverse();
  return candidates.find((tensor) => {
    const passed = tensorsReached(fixed, inputs, tensor);
    return passed.has(tensor) && [...wanted].every((w) => w === tensor || !passed.has(w));
  });
}

const isShape = (node: Node): boolean => SHAPE_ONLY.includes(node.opType);

/** Nodes downstream of the tensors; in a graph, nodes come after their inputs. */
function reached(nodes: readonly Node[], tensors: Set<string>): Set<Node> {
  const found = new Set<Node>();
  for (const node of nodes) {
    if (isShape(node) || !node.inputs.some((x) => tensors.has(x))) continue;
    found.add(node);
    node.outputs.forEach((o) => tensors.add(o));
  }
  return found;
}

/** Tensors that the inputs reach, including `wall`, but nothing beyond it. */
function tensorsReached(nodes: readonly Node[], inputs: readonly string[], wall: string): Set<string> {
  const found = new Set(inputs);
  for (const node of nodes) {
    if (isShape(node) || !node.inputs.some((x) => x !== wall && found.has(x))) continue;
    node.outputs.forEach((o) => found.add(o));
  }
  return found;
}
