import { matchTargets } from '../adapters/targets/targets';
import { AuroraError } from '../base/errors';
import { attrFloat, toAttribute } from '../graph/attributes';
import { isFloat } from '../graph/dtype';
import { findLinearLayers, type LinearLayer, outputLayers } from '../graph/layers/linear';
import { findTables, type Table } from '../graph/layers/tables';
import { ownBias } from '../graph/layers/weight-operands';
import { isRouter } from '../graph/routed';
import { type Graph, isFileRef, type Node, type Tensor } from '../graph/model';
import { rowsOf } from '../graph/quantized/nbits';
import type { Quantization } from '../graph/quantized/quantize-rows';
import { floatValues } from '../graph/values';

/** The parts of a graph that are to be quantized. */
export interface Chosen {
  layers: LinearLayer[];
  /** The tables of embeddings. */
  tables: Table[];
}

/**
 * All linear layers but the model's own output, those that share their weight with an embedding, and routers of experts, whose choices
 * would change; or the layers and embeddings that `modules` names, as targetModules does.
 *
 * @param blockSize values with one scale
 * @throws AuroraError 'targets' if there are none, or one that cannot be quantized is named
 */
export function chooseModules(graph: Graph, modules: readonly string[], blockSize: number): Chosen {
  const layers = findLinearLayers(graph);
  const tables = modules.length > 0 ? findTables(graph) : [];
  const paths = [...new Set([...layers, ...tables].map((m) => m.path))];
  const left = new Set(outputLayers(graph, layers));
  const { matched, unmatched } = matchTargets(paths, {
    targetModules: modules.length > 0 ? [...modules] : 'all-linear',
  });
  if (unmatched.length > 0)
    throw new AuroraError(
      'targets',
      `--modules: ${unmatched.join(', ')} matched no module of the model.`,
      'Run `aurora inspect MODEL` for all module paths.',
    );
  const wanted = new Set(matched);
  const chosen = layers.filter(
    (l) =>
      wanted.has(l.path) &&
      isQuantizable(l) &&
      (modules.length > 0 ||
        (!left.has(l.path) && l.sharedWith.length === 0 && !l.calls.some((c) => isRouter(c.node)))),
  );
  const named = tables.filter((t) => wanted.has(t.path));
  const uneven = named.find(({ weight }) => weight.dims[1] % blockSize !== 0);
  if (uneven)
    throw new AuroraError(
      'targets',
      `The embedding ${uneven.path} has rows of ${uneven.weight.dims[1]} values, which blocks of ${blockSize} do not divide.`,
      'Choose another --block, or leave it out of --modules.',
    );
  if (chosen.length + named.length === 0)
    throw new AuroraError(
      'targets',
      'No layer of the model can be quantized: it has none with weights in floats, or all are its own output.',
      'Name layers with --modules, or quantize the original model if this one is quantized already.',
    );
  return { layers: chosen, tables: named };
}

/** True if the stored weight is of floats, and each of its nodes adds its bias unscaled. */
const isQuantizable = ({ weight, calls }: LinearLayer): boolean =>
  isFloat(weight.dtype) && calls.every(({ node }) => attrFloat(node, 'beta', 1) === 1);

/** Quantizes a table of embeddings: rows of a constant of few bits. */
export function quantizedLookup(node: Node, q: Quantization, [table, ...rest]: readonly string[]): Node {
  const attributes = { gather_axis: 0, quantize_axis: 1, bits: q.bits, block_size: q.blockSize };
  return {
    ...node,
    name: `${node.name || node.outputs[0]}_Q${q.bits}`,
    opType: 'GatherBlockQuantized',
    domain: 'com.microsoft',
    inputs: [table, node.inputs[1], ...rest],
    attributes: new Map(Object.entries(attributes).map(([name, value]) => [name, toAttribute(value)])),
  };
}

/** The node with a quantized weight, under the name that ONNX Runtime's quantizer gives it. */
export function quantizedNode(
  node: Node,
  layer: LinearLayer,
  q: Quantization,
  names: readonly string[],
): Node {
  const bias = node.inputs[ownBias(node)];
  const inputs = [node.inputs[0], ...names];
  const all =
    ownBias(node) && bias ? [...inputs, ...Array<string>(5 - inputs.length).fill(''), bias] : inputs;
  return {
    ...node,
    name: `${node.name || node.outputs[0]}_Q${q.bits}`,
    opType: 'MatMulNBits',
    domain: 'com.microsoft',
    inputs: all,
    attributes: new Map(
      Object.entries({
        K: layer.inFeatures,
        N: layer.outFeatures,
        bits: q.bits,
        block_size: q.blockSize,
        accuracy_level: 0,
      }).map(([name, value]) => [name, toAttribute(value)]),
    ),
  };
}

/** The bytes of the rows that are in memory at a time. */
const PIECE = 2 ** 24;

/** A weight as it is quantized: (out, in), times alpha. */
export interface RowsOfWeight {
  path: string;
  weight: Tensor;
  inFeatures: number;
  outFeatures: number;
  /** Stored as (out, in). */
  transposed: boolean;
  alpha: number;
}

/** Its values, some rows at a time; a weight stored as (in, out) at once. */
export function* weightRows(rowsOfWeight: RowsOfWeight): Generator<Float32Array> {
  const { weight, inFeatures, outFeatures, transposed, alpha } = rowsOfWeight;
  if (!transposed) {
    const stored = floatValues(weight);
    const out = new Float32Array(stored.length);
    for (let i = 0; i < inFeatures; i++)
      for (let o = 0; o < outFeatures; o++) out[o * inFeatures + i] = alpha * stored[i * outFeatures + o];
    yield out;
    return;
  }
  const rows = isFileRef(weight.data) ? Math.max(1, Math.floor(PIECE / inFeatures)) : outFeatures;
  for (let from = 0; from < outFeatures; from += rows) {
    const to = Math.min(outFeatures, from + rows);
    const values = floatValues({ ...weight, data: rowsOf(weight, outFeatures, from, to) });
    yield alpha === 1 ? values : values.map((v) => alpha * v);
  }
}
