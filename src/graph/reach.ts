import { gradientPath } from './autodiff/differentiate';
import type { LinearLayer } from './layers/linear';
import type { Graph } from './model';

/** The tensors in `outputs` that each layer's output flows into differentiably, by the layer's path. */
export function outputsReached(
  graph: Graph,
  layers: readonly LinearLayer[],
  outputs: readonly string[],
): Map<string, string[]> {
  const starts = layers.flatMap((l) => l.calls.map((c) => c.output));
  const reached = new Map(layers.map((l) => [l.path, [] as string[]]));
  for (const output of outputs) {
    const { tensors } = gradientPath(graph.nodes, undefined, [output], starts);
    for (const { path, calls } of layers)
      if (calls.some((c) => tensors.has(c.output))) reached.get(path)!.push(output);
  }
  return reached;
}

/** Paths of the layers that `output` does not depend on: their adapters cannot learn from a loss on it. */
export function layersBeside(graph: Graph, layers: readonly LinearLayer[], output: string): string[] {
  const reached = outputsReached(graph, layers, [output]);
  return layers.map((l) => l.path).filter((path) => reached.get(path)!.length === 0);
}
