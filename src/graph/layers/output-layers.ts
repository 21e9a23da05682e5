import type { LinearLayer } from './linear';
import type { Graph } from '../model';

/** Operators that may lie between a layer, with its bias, and an output that has the same values. */
const SAME_VALUES = ['Identity', 'Reshape'];

/** Paths of the layers whose output is the model's own output: "all-linear" leaves them out, as PEFT does. */
export function outputLayers(graph: Graph, layers: readonly LinearLayer[]): string[] {
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const biased = new Map(
    graph.nodes.filter((n) => n.opType === 'Add').flatMap((n) => n.inputs.map((x) => [x, n.outputs[0]])),
  );
  const same = new Map(
    graph.nodes
      .filter((n) => SAME_VALUES.includes(n.opType))
      .map(({ inputs, outputs: [to] }) => [inputs[0], to]),
  );
  const isOutput = (x: string | undefined): boolean =>
    x !== undefined && (outputs.has(x) || isOutput(same.get(x)));
  return layers
    .filter((l) => l.calls.some((c) => isOutput(c.output) || isOutput(biased.get(c.output))))
    .map((l) => l.path);
}
