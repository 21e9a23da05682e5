import type { Graph, Node } from './model';

/** Their result depends on how large a tensor is, and not on what is in it. */
const SHAPE_ONLY = ['Shape', 'Size'];

/**
 * The last tensor that everything the `moving` tensors learn of the graph's `inputs` passes through: with its value at
 * hand, nothing before it has to be computed. Undefined where there is none but the inputs themselves.
 *
 * @param inputs names of the inputs that count; what comes of the others is computed anyway
 * @param moving tensors that change, with all that comes of them
 * @param output what the moving tensors are for
 * @param accept which tensors may be taken
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

/** Nodes downstream of the tensors; in a graph nodes come after what they read. */
function reached(nodes: readonly Node[], tensors: Set<string>): Set<Node> {
  const found = new Set<Node>();
  for (const node of nodes) {
    if (isShape(node) || !node.inputs.some((x) => tensors.has(x))) continue;
    found.add(node);
    node.outputs.forEach((o) => tensors.add(o));
  }
  return found;
}

/** Tensors that the inputs reach, `wall` among them, but nothing through it. */
function tensorsReached(nodes: readonly Node[], inputs: readonly string[], wall: string): Set<string> {
  const found = new Set(inputs);
  for (const node of nodes) {
    if (isShape(node) || !node.inputs.some((x) => x !== wall && found.has(x))) continue;
    node.outputs.forEach((o) => found.add(o));
  }
  return found;
}
