import { append } from '../../base/gathered';
import { attrInts } from '../../graph/attributes';
import { byteSize } from '../../graph/dtype';
import { elementCount, type Node } from '../../graph/model';
import type { FixedGraph } from '../../graph/sizes/sizes';

/** Nodes whose output is their input under other sizes: ONNX Runtime does not copy it. */
const VIEWS = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity']);

/** Nodes that ONNX Runtime lets overwrite an input that nobody reads later. */
const IN_PLACE = new Set(
  (
    'Add Sub Mul Div Pow Max Min Sum Neg Abs Sqrt Reciprocal Exp Log Erf Tanh Sigmoid Relu Elu LeakyRelu HardSigmoid ' +
    'Softplus Clip Cast Not'
  ).split(' '),
);

/** Its allocations are multiples of this. */
const GRANULE = 256;

/** The bytes of a tensor; 0 if they are not known, as of strings. */
export function bytesOf({ infos }: FixedGraph, name: string): number {
  const info = infos.get(name);
  return info ? elementCount(info.shape) * (byteSize(info.dtype) ?? 0) : 0;
}

/**
 * The most bytes of computed tensors that are in memory at once while a graph runs node by node: each is kept until its
 * last reader has run, and graph outputs until the end. Weights and inputs do not count.
 */
export function mostLiveBytes(fixed: FixedGraph): number {
  const { graph } = fixed;
  const nodes = withoutTransposes(graph.nodes);
  const given = new Set([...graph.initializers.keys(), ...graph.inputs.map((i) => i.name)]);
  const bufferOf = buffers(nodes, given);
  const last = new Map<string, number>();
  nodes.forEach(({ inputs }, at) => inputs.forEach((x) => last.set(bufferOf(x), at)));
  for (const { name } of graph.outputs) last.set(bufferOf(name), Infinity);
  const ending = new Map<number, string[]>();
  for (const [buffer, at] of last) append(ending, at, buffer);

  const sizes = new Map<string, number>();
  let live = 0;
  let most = 0;
  const free = (buffer: string) => {
    live -= sizes.get(buffer) ?? 0;
    sizes.delete(buffer);
  };
  nodes.forEach((node, at) => {
    const made = node.outputs.filter((y) => y !== '' && bufferOf(y) === y);
    for (const y of made) {
      const size = Math.ceil(bytesOf(fixed, y) / GRANULE) * GRANULE;
      const over = node.inputs.map(bufferOf).find((x) => sizes.get(x) === size && last.get(x) === at);
      if (over !== undefined && IN_PLACE.has(node.opType)) free(over);
      sizes.set(y, size);
      live += size;
    }
    most = Math.max(most, live);
    for (const buffer of ending.get(at) ?? []) free(buffer);
    for (const y of made) if (!last.has(y)) free(y);
  });
  return most;
}

/** The tensor whose memory a tensor is in: its own, unless it is a view of another. */
function buffers(nodes: readonly Node[], given: ReadonlySet<string>): (name: string) => string {
  const views = new Map<string, string>();
  for (const { opType, inputs, outputs } of nodes) {
    const from = views.get(inputs[0]) ?? inputs[0];
    if (VIEWS.has(opType) && !given.has(from)) views.set(outputs[0], from);
  }
  return (name) => views.get(name) ?? name;
}

/** ONNX Runtime fuses a Transpose of the last two axes into the MatMuls that read it, unless something else does. */
export function withoutTransposes(nodes: readonly Node[]): Node[] {
  const readers = new Map<string, Node[]>();
  for (const node of nodes) for (const x of node.inputs) append(readers, x, node);
  const fused = new Map<string, string>();
  for (const node of nodes) {
    if (node.opType !== 'Transpose' || !swapsLast(attrInts(node, 'perm'))) continue;
    const [y] = node.outputs;
    if (readers.get(y)?.every((n) => n.opType === 'MatMul')) fused.set(y, node.inputs[0]);
  }
  return nodes
    .filter((n) => !fused.has(n.outputs[0]))
    .map((n) => ({ ...n, inputs: n.inputs.map((x) => fused.get(x) ?? x) }));
}

const swapsLast = (perm: readonly number[] = []): boolean => {
  const rank = perm.length;
  return rank > 1 && perm.every((axis, i) => axis === (i < rank - 2 ? i : 2 * rank - 3 - i));
};
