import { ftruncateSync } from 'node:fs';
import { replaceFile, writeAll } from '../../files/atomic';
import { attrFloat } from '../attributes';
import { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import { elementCount, type Graph, isFileRef, type Model, type Node, type Tensor } from '../model';
import { halfValues, toHalf } from '../number-formats';
import { prune, readsOf } from '../reads';
import { readTensorBytes } from '../values';

/** Operators that only change the layout of their first input. */
const VIEWS = ['Transpose', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze'];

/**
 * The float32 matrices of a model that only matrix products and table look-ups read, also through a transpose: a device
 * may compute their products in float16 (`withHalfWeights`).
 *
 * @param graph forward, or forward and backward
 * @param own the user's original graph: constants of adapters and of gradient rules stay unchanged
 */
export function halvableWeights(graph: Graph, own: Graph): Tensor[] {
  // A former node output may since have been folded into a constant.
  const names = new Set([...own.initializers.keys(), ...own.nodes.flatMap((n) => n.outputs)]);
  /** Tensors that something reads in float32. Runs backward, so that a view is known before its source. */
  const kept = new Set(graph.outputs.map((x) => x.name));
  for (const node of [...graph.nodes].reverse()) {
    const last = node.domain === '' ? lastHalfInput(node) : -1;
    const isKeptView = VIEWS.includes(node.opType) && kept.has(node.outputs[0]);
    node.inputs.forEach((x, i) => {
      if (i > last || isKeptView) kept.add(x);
    });
    for (const x of readsOf(node)) if (!node.inputs.includes(x)) kept.add(x);
  }
  return [...graph.initializers.values()].filter(
    (t) => t.dtype === DType.float && t.dims.length > 1 && names.has(t.name) && !kept.has(t.name),
  );
}

/** The last of a node's inputs that may become float16; -1 if none may. */
function lastHalfInput({ opType }: Node): number {
  if (opType === 'MatMul' || opType === 'Gemm') return 1;
  return opType === 'Gather' || VIEWS.includes(opType) ? 0 : -1;
}

/**
 * A copy of a model that reads float16 weights in place of float32 ones: the other factor is rounded to float16 first,
 * and the product continues in float32. A bias is added in float32.
 *
 * @param halves by the name of the weight each replaces, all of them `halvableWeights`
 */
export function withHalfWeights(model: Model, halves: ReadonlyMap<string, Tensor>): Model {
  const graph: Graph = {
    ...model.graph,
    initializers: new Map(model.graph.initializers),
    inputs: [...model.graph.inputs],
  };
  const nodes: Node[] = [];
  const g = new GraphBuilder(graph, '/half', nodes);
  /** The float16 tensor that stands for a float32 one. */
  const half = new Map<string, string>();
  for (const [name, tensor] of halves)
    if (graph.initializers.has(name)) half.set(name, g.addInitializer(tensor));
  const weights = new Set(half.keys());
  const rounded = (x: string): string => {
    if (!half.has(x)) half.set(x, g.op('Cast', [x], { to: DType.float16 }));
    return half.get(x)!;
  };
  for (const node of graph.nodes) {
    const { opType, inputs, outputs } = node;
    const last = node.domain === '' ? lastHalfInput(node) : -1;
    if (!inputs.slice(0, last + 1).some((x) => weights.has(x))) {
      nodes.push(node);
      continue;
    }
    const product = g.fresh(opType);
    const factors = inputs.slice(0, last + 1).map(rounded);
    const others = opType === 'Gemm' ? [] : inputs.slice(last + 1);
    nodes.push({ ...node, inputs: [...factors, ...others], outputs: [product] });
    if (VIEWS.includes(opType)) {
      half.set(outputs[0], product);
      weights.add(outputs[0]);
    } else if (opType === 'Gemm' && inputs[2]) {
      const sum = [g.op('Cast', [product], { to: DType.float }), scaledBias(g, node)];
      g.op('Add', sum, {}, { outputs, name: g.fresh('Add') });
    } else g.op('Cast', [product], { to: DType.float }, { outputs, name: g.fresh('Cast') });
  }
  return { ...model, graph: prune({ ...graph, nodes }) };
}

function scaledBias(g: GraphBuilder, gemm: Node): string {
  const beta = attrFloat(gemm, 'beta', 1);
  return beta === 1 ? gemm.inputs[2] : g.op('Mul', [gemm.inputs[2], g.scalar(beta, DType.float)]);
}

/** Aligned for every vector unit that may read a weight in place. */
const ALIGNMENT = 64;
/** Values converted at a time, so that a large table is never in memory twice. */
const CHUNK = 1 << 22;
/**
 * The largest relative error, ‖w − float16(w)‖ / ‖w‖, allowed for a weight. Rounding alone gives at most 2^-11; more
 * comes from values below 2^-14, which float16 stores with reduced precision or as 0.
 */
const LARGEST_ERROR = 2 ** -10;

export interface HalvedWeights {
  /** The float16 copy of each weight, by the weight's name. */
  halves: Map<string, Tensor>;
  /** The reason why a weight stays in float32, by its name. */
  kept: Map<string, 'too large' | 'too small'>;
}

/**
 * Writes float16 copies of float32 weights into one file, and omits those that float16 cannot represent.
 *
 * @throws AuroraError 'disk' if the disk is full
 */
export function writeHalfWeights(weights: readonly Tensor[], path: string): HalvedWeights {
  const halves: HalvedWeights['halves'] = new Map();
  const kept: HalvedWeights['kept'] = new Map();
  replaceFile(path, (fd) => {
    let end = 0;
    for (const weight of weights) {
      const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
      const problem = writeHalves(fd, weight, offset);
      // The next one then overwrites it.
      if (problem) kept.set(weight.name, problem);
      else {
        const length = 2 * elementCount(weight.dims);
        const name = `${weight.name}.float16`;
        halves.set(weight.name, {
          name,
          dtype: DType.float16,
          dims: weight.dims,
          data: { path, offset, length },
        });
        end = offset + length;
      }
    }
    ftruncateSync(fd, end);
  });
  return { halves, kept };
}

function writeHalves(fd: number, weight: Tensor, offset: number): 'too large' | 'too small' | undefined {
  const values = halfValues();
  const count = elementCount(weight.dims);
  let squares = 0;
  let errors = 0;
  for (let start = 0; start < count; start += CHUNK) {
    const floats = floatsOf(weight, start, Math.min(CHUNK, count - start));
    const halves = new Uint16Array(floats.length);
    for (let i = 0; i < floats.length; i++) {
      const half = toHalf(floats[i]);
      const error = floats[i] - values[half];
      halves[i] = half;
      squares += floats[i] * floats[i];
      errors += error * error;
    }
    // Infinity if a value overflowed, NaN if one was not finite before.
    if (!Number.isFinite(errors)) return 'too large';
    writeAll(fd, new Uint8Array(halves.buffer), offset + 2 * start);
  }
  return errors > LARGEST_ERROR ** 2 * squares ? 'too small' : undefined;
}

function floatsOf(weight: Tensor, start: number, count: number): Float32Array {
  const { data } = weight;
  const bytes = isFileRef(data)
    ? readTensorBytes({ ...weight, data: { ...data, offset: data.offset + 4 * start, length: 4 * count } })
    : data.subarray(4 * start, 4 * (start + count));
  // A copy, since a view may be unaligned.
  return new Float32Array(new Uint8Array(bytes).buffer);
}
