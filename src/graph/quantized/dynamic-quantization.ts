import { attrInt } from '../attributes';
import { DType } from '../dtype';
import type { Graph, Model, Node } from '../model';
import { readersOf, withoutUnused } from '../reads';

/** x (float32), rounded to 8 bits within its range, times a weight (in, out) of 8 bits: float32. */
export const isDynamic = ({ domain, opType }: Pick<Node, 'domain' | 'opType'>): boolean =>
  opType === 'DynamicQuantizeMatMul' && domain === 'com.microsoft';

/**
 * A copy of a model with each product of dynamic quantization as one node, DynamicQuantizeMatMul: ONNX Runtime's quantizer
 * writes DynamicQuantizeLinear, MatMulInteger, Cast and two Mul, and its optimizer MatMulIntegerToFloat. No gradient
 * passes the integers between them. The model itself if it has none of these.
 */
export function joinDynamic(model: Model): Model {
  const { graph } = model;
  const makers = new Map(graph.nodes.flatMap((n) => n.outputs.map((y) => [y, n] as const)));
  const users = readersOf(graph);
  const joined = new Map<Node, Node>();
  for (const node of graph.nodes) {
    const found = fromIntegers(graph, node, users, makers) ?? toFloat(node, makers);
    if (found) joined.set(found.last, found.node);
  }
  if (joined.size === 0) return model;
  const nodes = graph.nodes.map((n) => joined.get(n) ?? n);
  const opsets = new Map(model.opsets).set('com.microsoft', 1);
  return { ...model, opsets, graph: withoutUnused({ ...graph, nodes }) };
}

type Makers = ReadonlyMap<string, Node>;

/** The node that quantizes `name`, which is one of its outputs. */
function quantizer(name: string, makers: Makers): Node | undefined {
  const maker = makers.get(name);
  return maker?.opType === 'DynamicQuantizeLinear' && maker.outputs[0] === name ? maker : undefined;
}

function fromIntegers(graph: Graph, node: Node, users: ReadonlyMap<string, Node[]>, makers: Makers) {
  if (node.opType !== 'MatMulInteger' || node.domain !== '') return undefined;
  const [a, weight, zero, weightZero] = node.inputs;
  const from = quantizer(a, makers);
  if (!from || zero !== from.outputs[2]) return undefined;
  const isOutput = (name: string) => graph.outputs.some((o) => o.name === name);
  const only = (name: string): Node | undefined => {
    const readers = users.get(name) ?? [];
    return readers.length === 1 && !isOutput(name) ? readers[0] : undefined;
  };
  const cast = only(node.outputs[0]);
  if (cast?.opType !== 'Cast' || attrInt(cast, 'to', 0) !== DType.float) return undefined;
  const last = only(cast.outputs[0]);
  if (last?.opType !== 'Mul') return undefined;
  const scales = makers.get(last.inputs.find((x) => x !== cast.outputs[0]) ?? '');
  if (scales?.opType !== 'Mul' || !scales.inputs.includes(from.outputs[1])) return undefined;
  const scale = scales.inputs.find((x) => x !== from.outputs[1]);
  if (scale === undefined || !graph.initializers.has(scale)) return undefined;
  return { last, node: product(node, [from.inputs[0], weight, scale, weightZero ?? ''], last.outputs) };
}

function toFloat(node: Node, makers: Makers) {
  if (node.opType !== 'MatMulIntegerToFloat' || node.domain !== 'com.microsoft') return undefined;
  const [a, weight, scale, weightScale, zero, weightZero = '', bias = ''] = node.inputs;
  const from = quantizer(a, makers);
  if (!from || scale !== from.outputs[1] || zero !== from.outputs[2]) return undefined;
  return {
    last: node,
    node: product(node, [from.inputs[0], weight, weightScale, weightZero, bias], node.outputs),
  };
}

const product = (node: Node, inputs: string[], outputs: string[]): Node => ({
  ...node,
  opType: 'DynamicQuantizeMatMul',
  domain: 'com.microsoft',
  inputs,
  outputs,
  attributes: new Map(),
});
