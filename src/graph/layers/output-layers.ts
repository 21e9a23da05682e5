import type { LinearLayer } from './linear';
import type { Graph } from '../model';

/** Paths of the layers whose output is the model's own output: "all-linear" leaves them out, as PEFT does. */
export function outputLayers(graph: Graph, layers: readonly LinearLayer[]): string[] {
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const biased = new Map(
    graph.nodes.filter((n) => n.opType === 'Add').flatMap((n) => n.inputs.map((x) => [x, n.outputs[0]])),
  );
  return layers
    .filter((l) => l.calls.some((c) => outputs.has(c.output) || outputs.has(biased.get(c.output) ?? '')))
    .map((l) => l.path);
}
