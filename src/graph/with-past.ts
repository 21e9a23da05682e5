import { GraphBuilder } from './builder';
import { DType } from './dtype';
import type { Graph, Model, Node } from './model';
import { standard, upgraded } from './prepare';
import { tensorOf } from './values';
import { decoderBranch, keptLogitsInput, withoutPast } from './without-past';

/** A loaded decoder at the internal opset with its cache among its inputs and outputs. */
export const withPast = (original: Model): Model => standard(upgraded(decoderBranch(original, true)), true);

/** A loaded decoder for texts from their beginning, whose keys and values are outputs. */
export const fillingPast = (original: Model): Model =>
  standard(withoutPast(upgraded(decoderBranch(original, false)), true));

/** Operators that compute each token's logits from its own numbers alone. */
const PER_TOKEN = new Set(['Cast', 'Identity', 'Mul', 'Div', 'Add', 'Tanh']);

/**
 * The model with logits for the last token alone: its output layer is most of the work of a short step. Where it cannot
 * be found, there are logits for all tokens.
 */
export function lastLogits(model: Model, logits: string): Model {
  const { graph } = model;
  const kept = keptLogitsInput(graph);
  if (kept) {
    const one = tensorOf(kept.name, kept.dtype, kept.shape?.length ? [1] : [], [1]);
    const initializers = new Map([...graph.initializers, [kept.name, one]]);
    return { ...model, graph: { ...graph, initializers, inputs: graph.inputs.filter((i) => i !== kept) } };
  }
  const layer = outputLayer(graph, logits);
  if (!layer) return model;
  const nodes: Node[] = [];
  const copy: Graph = { ...graph, nodes, initializers: new Map(graph.initializers) };
  const g = new GraphBuilder({ ...copy, nodes: graph.nodes }, '/last', nodes);
  for (const node of graph.nodes) {
    if (node !== layer) {
      nodes.push(node);
      continue;
    }
    const [x, ...others] = node.inputs;
    const last = g.op('Gather', [x, g.constant(DType.int64, [1], [-1])], { axis: 1 });
    nodes.push({ ...node, inputs: [last, ...others] });
  }
  return { ...model, graph: copy };
}

/** The product with a weight that the logits come from. */
function outputLayer(graph: Graph, logits: string): Node | undefined {
  const makers = new Map(graph.nodes.flatMap((n) => n.outputs.map((y) => [y, n] as const)));
  const isConstant = (x: string) => graph.initializers.has(x);
  for (let node = makers.get(logits); node;) {
    const { opType, inputs } = node;
    if (opType === 'MatMul') return weighed(graph, makers, inputs[1]) ? node : undefined;
    const computed = inputs.filter((x) => !isConstant(x));
    if (!PER_TOKEN.has(opType) || computed.length !== 1) return undefined;
    node = makers.get(computed[0]);
  }
  return undefined;
}

/** True if a factor is a weight (hidden, vocabulary), as it is or transposed. */
function weighed(graph: Graph, makers: ReadonlyMap<string, Node>, name: string): boolean {
  const maker = makers.get(name);
  const source = maker?.opType === 'Transpose' ? maker.inputs[0] : name;
  return graph.initializers.get(source)?.dims.length === 2;
}
