import { append } from '../../base/gathered';
import { LARGE_MODEL } from '../../engine/onnxruntime/step-constants';
import { attrInt, attrInts } from '../../graph/attributes';
import { byteSize } from '../../graph/dtype';
import { weightBytes } from '../../graph/file/save';
import { elementCount, type Graph, isFileRef, type Node } from '../../graph/model';
import { isFourBit } from '../../graph/number-formats';
import { looksUp } from '../../graph/quantized/lookup';
import { productFlops } from '../../graph/sizes/products';
import type { FixedGraph } from '../../graph/sizes/sizes';
import type { MachineRates, StepMemory, StepTime } from '../../protocol/step-cost';
import { availableMemory } from '../../training/micro-batch/available';

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
function withoutTransposes(nodes: readonly Node[]): Node[] {
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

/** The work of a node, however fast the machine is. */
export interface NodeWork {
  node: Node;
  /** Additions and multiplications of a product of matrices, both counted; 0 for any other node. */
  flops: number;
  /** Bytes that it reads and writes. */
  bytes: number;
}

/** Nodes that only look at a tensor under other sizes. */
const FREE = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity', 'Shape']);

/** The work of each node of a graph, without those that do none and Transposes that the runtime fuses into products. */
export function nodeWork(fixed: FixedGraph): NodeWork[] {
  const dims = (name: string): number[] => fixed.infos.get(name)?.shape ?? [];
  return withoutTransposes(fixed.graph.nodes)
    .filter(({ opType }) => !FREE.has(opType))
    .map((node) => {
      const { opType, inputs, outputs } = node;
      const transA = attrInt(node, 'transA', 0) === 1;
      // A lookup reads only some rows of a table.
      const read = looksUp(node) ? bytesOf(fixed, outputs[0]) : sum(inputs.map((x) => bytesOf(fixed, x)));
      return {
        node,
        flops: productFlops(opType, inputs.map(dims), dims(outputs[0]), transA),
        bytes: read + sum(outputs.map((y) => bytesOf(fixed, y))),
      };
    });
}

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Node, this program and ONNX Runtime with its libraries, before a session: measured on Linux with Node 20. */
const PROGRAM_BYTES = 190e6;
/** The memory of the program and the runtime for each node of an open graph: measured with 3,000 to 8,000 nodes. */
const NODE_BYTES = 14e3;
/** Decoding images: the libraries, their threads, and the images of a batch. */
const IMAGES_BYTES = 100e6;

/**
 * The peak memory of a process that trains and evaluates on the CPU. Both graphs map the weights, those of a large model
 * in turn, and a runtime's memory for activations is kept once it was needed.
 *
 * @param parameters the number that are trained, each with its gradient and two moments
 * @param frozen the number that an adapter stores besides
 * @param images true if they are read from files
 */
export function stepMemory(
  step: FixedGraph,
  evaluation: FixedGraph,
  { parameters, frozen, images }: { parameters: number; frozen: number; images: boolean },
): StepMemory {
  const nodes = step.graph.nodes.length + evaluation.graph.nodes.length;
  const weights = [weightsRead(step), weightsRead(evaluation)];
  const live = [mostLiveBytes(step), mostLiveBytes(evaluation)];
  const inTurn = weightBytes(evaluation.graph) >= LARGE_MODEL;
  const parts = {
    program: PROGRAM_BYTES + NODE_BYTES * nodes + (images ? IMAGES_BYTES : 0),
    weights: inTurn ? Math.max(...weights) : weights[0] + weights[1],
    activations: live[0],
    evaluation: inTurn ? Math.max(0, live[1] - live[0]) : live[1],
    trained: 16 * parameters + 4 * frozen,
  };
  const total = Object.values(parts).reduce((a, b) => a + b, 0);
  const available = availableMemory();
  return { ...parts, total, available };
}

/** Bytes of the weights that a graph reads from files, in float32: of a table that is only looked up in, the rows. */
function weightsRead(fixed: FixedGraph): number {
  const rows = rowsRead(fixed);
  let bytes = 0;
  for (const { name, dtype, data } of fixed.graph.initializers.values())
    if (isFileRef(data))
      bytes += Math.min(isFourBit(dtype) ? data.length : bytesOf(fixed, name), rows.get(name) ?? Infinity);
  return bytes;
}

/** Bytes that are looked up in each table that nothing else reads. */
function rowsRead(fixed: FixedGraph): Map<string, number> {
  const rows = new Map<string, number>();
  const read = (graph: Graph, visit: (x: string, i: number, node: Graph['nodes'][number]) => void) =>
    graph.nodes.forEach((node) => node.inputs.forEach((x, i) => visit(x, i, node)));
  read(fixed.graph, (x, i, node) => {
    if (looksUp(node) && i === 0) rows.set(x, (rows.get(x) ?? 0) + bytesOf(fixed, node.outputs[0]));
  });
  read(fixed.graph, (x, i, node) => {
    if (!looksUp(node) || i > 0) rows.delete(x);
  });
  return rows;
}

/** Operators that compute a function of each value, which takes longer than moving it. */
const FUNCTIONS = new Set(
  'Exp Log Erf Tanh Sigmoid Softplus Gelu Softmax Sin Cos Pow HardSwish Mish Elu'.split(' '),
);

/** ONNX Runtime widens integers in a single thread, however many values there are. */
function wideningSeconds(
  { infos }: FixedGraph,
  { opType, outputs, attributes }: Node,
  rates: MachineRates,
): number {
  if (opType !== 'DequantizeLinear') return 0;
  const { blocks, columns } = rates.widened;
  return elementCount(infos.get(outputs[0])?.shape ?? []) / (attributes.has('block_size') ? blocks : columns);
}

/**
 * The time that a graph takes on the CPU: each node as long as its products, its functions or the bytes that it moves,
 * whichever takes longest (the roofline model: Williams, Waterman and Patterson, 2009), and a moment to be started.
 */
export function stepTime(fixed: FixedGraph, rates: MachineRates): StepTime {
  const work = nodeWork(fixed);
  const seconds = work.map(({ node, flops, bytes }) => {
    const [y] = node.outputs;
    const functions = FUNCTIONS.has(node.opType) ? elementCount(fixed.infos.get(y)?.shape ?? []) : 0;
    const gflops = node.opType === 'MatMulIntegerToFloat' ? rates.int8Gflops : rates.gflops;
    const longest = Math.max(
      flops / (gflops * 1e9),
      wideningSeconds(fixed, node, rates),
      bytes / rates.bytesPerSecond,
      functions / rates.functionsPerSecond,
    );
    return rates.secondsPerNode + longest;
  });
  return { seconds: sum(seconds), flops: sum(work.map(({ flops }) => flops)), rates };
}
