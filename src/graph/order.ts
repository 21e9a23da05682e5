import { AuroraError } from '../base/errors';
import type { Graph, Node } from './model';
import { readsOf } from './reads';

/**
 * Sorts the nodes of a graph, and of the bodies in it, topologically, as ONNX requires and all code here assumes. A
 * graph already in order is unchanged; otherwise a node moves only if a reader needs it earlier.
 *
 * @param path for the error
 * @throws AuroraError 'model' if nodes depend on each other in a cycle, or one tensor is defined twice
 */
export function orderNodes(graph: Graph, path: string): void {
  const producers = new Map<string, Node>();
  let twice: string | undefined;
  for (const node of graph.nodes)
    for (const y of node.outputs) {
      if (y === '') continue;
      if (producers.has(y) || graph.initializers.has(y)) twice ??= y;
      producers.set(y, producers.get(y) ?? node);
    }
  if (!isInOrder(graph.nodes, producers)) graph.nodes = ordered(graph.nodes, producers, path);
  if (twice !== undefined)
    throw new AuroraError(
      'model',
      `${path} defines the tensor "${twice}" twice, so it is unclear which one other nodes refer to.`,
      'Export the model again: the file is damaged, or its exporter has a bug.',
    );
  for (const node of graph.nodes)
    for (const a of node.attributes.values()) if (a.type === 'graph') orderNodes(a.value, path);
}

function isInOrder(nodes: readonly Node[], producers: ReadonlyMap<string, Node>): boolean {
  const seen = new Set<string>();
  for (const node of nodes) {
    if (readsOf(node).some((x) => producers.has(x) && !seen.has(x))) return false;
    for (const y of node.outputs) seen.add(y);
  }
  return true;
}

/** Depth first with an explicit stack: chains of nodes are longer than the call stack is deep. */
function ordered(nodes: readonly Node[], producers: ReadonlyMap<string, Node>, path: string): Node[] {
  const result: Node[] = [];
  const done = new Set<Node>();
  const open = new Set<Node>();
  for (const start of nodes) {
    if (done.has(start)) continue;
    const stack = [{ node: start, waitsFor: sourcesOf(start, producers) }];
    open.add(start);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const source = top.waitsFor.pop();
      if (!source) {
        stack.pop();
        open.delete(top.node);
        done.add(top.node);
        result.push(top.node);
      } else if (open.has(source)) {
        throw cycle(
          stack.map((s) => s.node),
          source,
          path,
        );
      } else if (!done.has(source)) {
        open.add(source);
        stack.push({ node: source, waitsFor: sourcesOf(source, producers) });
      }
    }
  }
  return result;
}

/** The producers of a node's inputs, the first one last. */
const sourcesOf = (node: Node, producers: ReadonlyMap<string, Node>): Node[] =>
  readsOf(node)
    .flatMap((x) => producers.get(x) ?? [])
    .reverse();

/** @param waiting each waits for the next one, the last for `source` */
function cycle(waiting: readonly Node[], source: Node, path: string): AuroraError {
  const round = waiting.slice(waiting.indexOf(source)).reverse();
  const listed = round.slice(0, 5).map((n) => `${n.opType} "${n.name || n.outputs[0]}"`);
  const more = round.length - listed.length;
  const text = [...listed, ...(more > 0 ? [`${more} more`] : []), listed[0]].join(' → ');
  return new AuroraError(
    'model',
    `The graph of ${path} has a cycle, so it cannot be computed: ${text}.`,
    'Export the model again: the file is damaged, or its exporter has a bug.',
  );
}
