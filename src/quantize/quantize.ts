import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { loadModelFrom } from '../architectures/load';
import type { ModelSource } from '../architectures/model-source';
import { AuroraError } from '../base/errors';
import { replaceFile, writeAll, writeAtomic } from '../files/atomic';
import { removeAbandoned } from '../files/temporary';
import { DType } from '../graph/dtype';
import { toAttribute } from '../graph/attributes';
import { copyTensor, EXTERNAL_FROM, padded, sizeOf } from '../graph/file/save';
import type { LinearLayer } from '../graph/layers/linear';
import { inFloat } from '../graph/layers/weight-operands';
import type { Graph, Node, Tensor } from '../graph/model';
import { encodeModel } from '../graph/onnx/encode';
import type { ExternalData } from '../graph/onnx/tensor';
import { upgraded } from '../graph/prepare';
import { withoutUnused } from '../graph/reads';
import { zeroRowBytes } from '../graph/quantized/nbits';
import { integerRows, transposeInto } from '../graph/quantized/columns';
import { quantizeRows, type Quantization } from '../graph/quantized/quantize-rows';
import type { QuantizedLayer, QuantizeResult } from '../protocol/quantize';
import {
  chooseModules,
  quantizedLookup,
  quantizedNode,
  type Chosen,
  weightRows,
  type RowsOfWeight,
} from './quantized-layers';

/** Pages of every system: runtimes map weights into memory. */
const PAGE = 2 ** 16;

/** A weight that is quantized when its turn to be written comes. */
interface Pending {
  of: RowsOfWeight;
  weight: Tensor;
  scales: Tensor;
  zeros: Tensor | undefined;
}

/** The form of stored weights: blocks of few bits, or int8 with one scale for each output, as int8 steps multiply them. */
export type QuantizedForm = Quantization | 'columns';

/**
 * Writes a model with the weights of linear layers (MatMulNBits) and embeddings (GatherBlockQuantized) in few bits to an
 * ONNX file and a data file beside it, or in int8 columns (DequantizeLinear). Weights are read, quantized and written one after the other, so that memory holds
 * one of them. The model file is written last: without it, nothing is left that could be loaded.
 *
 * @param modules names of layers and embeddings, as in targetModules; by default all layers but the model's own output
 *   and those tied to an embedding
 * @throws AuroraError 'usage' if the file exists
 */
export function quantizeModel(
  source: ModelSource,
  out: string,
  form: QuantizedForm,
  modules: readonly string[] = [],
  onLayer: (layer: QuantizedLayer) => void = () => {},
): QuantizeResult {
  if (existsSync(out))
    throw new AuroraError(
      'usage',
      `${out} exists already.`,
      'Choose another name, or delete the file first.',
    );
  const model = upgraded(loadModelFrom(source, 'stored'));
  const chosen = chooseModules(model.graph, modules, form === 'columns' ? 1 : form.blockSize);
  const { graph, pending, views } =
    form === 'columns' ? withColumns(model.graph, chosen.layers) : withQuantized(model.graph, chosen, form);
  const location = `${basename(out)}.data`;
  const dataPath = `${out}.data`;
  const places = new Map<Tensor, ExternalData>();
  const made = new Map<Tensor, QuantizedLayer>();
  const report = (weight: Tensor, layer: QuantizedLayer) => {
    made.set(weight, layer);
    onLayer(layer);
  };
  removeAbandoned(dirname(out));
  let end = 0;
  replaceFile(dataPath, (fd) => {
    const place = (t: Tensor, length: number, write: () => void) => {
      const offset = length < PAGE ? padded(end) : Math.ceil(end / PAGE) * PAGE;
      writeAll(fd, new Uint8Array(offset - end));
      write();
      places.set(t, { location, offset, length });
      end = offset + length;
    };
    for (const t of graph.initializers.values()) {
      const own = pending.get(t);
      const write = (bytes: Uint8Array) => writeAll(fd, bytes);
      if (own)
        report(t, form === 'columns' ? writeColumns(own, place, write) : writeLayer(own, form, place, write));
      else if (!places.has(t) && sizeOf(t) >= EXTERNAL_FROM) place(t, sizeOf(t), () => copyTensor(fd, t));
    }
  });
  for (const [view, { of, path }] of views) {
    places.set(view, places.get(of)!);
    report(view, { ...made.get(of)!, path });
  }
  const opsets = new Map(model.opsets).set('com.microsoft', 1);
  writeAtomic(
    out,
    encodeModel({ ...model, opsets, graph }, (t) => places.get(t)),
  );
  return { path: out, bytes: end, layers: [...made.values()], kept: keptLayers(graph) };
}

/** Linear layers whose weight stays as it was. */
const keptLayers = (graph: Graph): string[] =>
  graph.nodes
    .filter((n) => n.opType === 'MatMul' || n.opType === 'Gemm')
    .flatMap((n) => (graph.initializers.has(n.inputs[1]) ? [n.name] : []));

/** A weight that is written anyway, as a table: a matrix of the same bytes. */
interface View {
  of: Tensor;
  path: string;
}

function withQuantized(source: Graph, { layers, tables }: Chosen, q: Quantization) {
  const pending = new Map<Tensor, Pending>();
  const views = new Map<Tensor, View>();
  const initializers = new Map(source.initializers);
  const replaced = new Map<Node, Node>();
  const made = new Map<string, { packed: Tensor; names: string[] }>();
  const add = (name: string, dtype: number, dims: number[]): Tensor => {
    const tensor: Tensor = { name, dtype, dims, data: new Uint8Array() };
    initializers.set(name, tensor);
    return tensor;
  };
  /** Once for each weight: its integers, scales and zero points. */
  const store = (of: RowsOfWeight, asTable = false) => {
    const key = `${of.weight.name} ${of.transposed} ${of.alpha}`;
    const known = made.get(key);
    if (known) return known;
    const isNew = !initializers.has(`${of.weight.name}_Q${q.bits}`);
    const name = isNew ? of.weight.name : `${of.weight.name}_${made.size}`;
    const { inFeatures, outFeatures } = of;
    const blocks = Math.ceil(inFeatures / q.blockSize);
    const bytes = (q.blockSize * q.bits) / 8;
    const dims = asTable ? [outFeatures, blocks * bytes] : [outFeatures, blocks, bytes];
    const packed = add(`${name}_Q${q.bits}`, DType.uint8, dims);
    const scales = add(`${name}_scales`, DType.float, [outFeatures, blocks]);
    const zeroBytes = zeroRowBytes({ bits: q.bits, blockSize: q.blockSize, blocks });
    const zeros = q.symmetric ? undefined : add(`${name}_zero_points`, DType.uint8, [outFeatures, zeroBytes]);
    pending.set(packed, { of, weight: packed, scales, zeros });
    const stored = { packed, names: [packed, scales, ...(zeros ? [zeros] : [])].map((t) => t.name) };
    made.set(key, stored);
    return stored;
  };
  for (const layer of layers) {
    const { names } = store(layer);
    for (const { node } of layer.calls) replaced.set(node, quantizedNode(node, layer, q, names));
  }
  for (const { path, weight, lookups } of tables) {
    const [outFeatures, inFeatures] = weight.dims;
    const rows = { path, weight, inFeatures, outFeatures, transposed: true, alpha: 1 };
    const { packed, names } = store(rows, true);
    let table = packed;
    if (packed.dims.length > 2) {
      table = add(`${packed.name}_rows`, DType.uint8, [outFeatures, packed.dims[1] * packed.dims[2]]);
      views.set(table, { of: packed, path });
    }
    const inputs = [table.name, ...names.slice(1)];
    for (const node of lookups) replaced.set(node, quantizedLookup(node, q, inputs));
  }
  const nodes = source.nodes.map((n) => replaced.get(n) ?? n);
  return { graph: withoutUnused({ ...source, nodes, initializers }), pending, views };
}

/** Layers that read DequantizeLinear of a weight in int8 (in, out), once for each weight. */
function withColumns(source: Graph, layers: readonly LinearLayer[]) {
  const pending = new Map<Tensor, Pending>();
  const initializers = new Map(source.initializers);
  const replaced = new Map<Node, Node[]>();
  const made = new Map<string, string>();
  const add = (name: string, dtype: number, dims: number[]): Tensor => {
    const tensor: Tensor = { name, dtype, dims, data: new Uint8Array() };
    initializers.set(name, tensor);
    return tensor;
  };
  for (const layer of layers) {
    const { weight, inFeatures, outFeatures, transposed, alpha } = layer;
    const key = `${weight.name} ${transposed} ${alpha}`;
    const first: Node[] = [];
    let read = made.get(key);
    if (read === undefined) {
      // Its float values keep the weight's name, by which steps and messages know it.
      read = initializers.delete(weight.name) ? weight.name : `${weight.name}_${made.size}`;
      const values = add(`${read}_quantized`, DType.int8, [inFeatures, outFeatures]);
      const scales = add(`${read}_scales`, DType.float, [outFeatures]);
      pending.set(values, { of: layer, weight: values, scales, zeros: undefined });
      made.set(key, read);
      first.push(dequantizeNode([values.name, scales.name], read));
    }
    for (const [i, { node }] of layer.calls.entries())
      replaced.set(node, [...(i === 0 ? first : []), ...inFloat(node, read)]);
  }
  const nodes = source.nodes.flatMap((n) => replaced.get(n) ?? [n]);
  const views = new Map<Tensor, View>();
  return { graph: withoutUnused({ ...source, nodes, initializers }), pending, views };
}

const dequantizeNode = (inputs: string[], output: string): Node => ({
  name: output,
  opType: 'DequantizeLinear',
  domain: '',
  inputs,
  outputs: [output],
  attributes: new Map([['axis', toAttribute(1)]]),
  metadata: new Map(),
});

/** Writes a weight's integers (in, out) and its scales. */
function writeColumns(
  { of, weight, scales }: Pending,
  place: (t: Tensor, length: number, write: () => void) => void,
  write: (bytes: Uint8Array) => void,
): QuantizedLayer {
  const { path, inFeatures, outFeatures } = of;
  const values = new Int8Array(inFeatures * outFeatures);
  const own = new Float32Array(outFeatures);
  let [error, norm, from] = [0, 0, 0];
  for (const rows of weightRows(of)) {
    const found = integerRows(rows, inFeatures);
    const count = found.scales.length;
    transposeInto(values, { rows: count, columns: inFeatures, all: outFeatures, from }, found.values);
    own.set(found.scales, from);
    from += count;
    error += found.error;
    norm += found.norm;
  }
  place(weight, values.length, () => write(new Uint8Array(values.buffer)));
  place(scales, 4 * own.length, () => write(new Uint8Array(own.buffer)));
  requireFinite(path, error + norm);
  return { path, inFeatures, outFeatures, error: norm > 0 ? Math.sqrt(error / norm) : 0 };
}

function requireFinite(path: string, sum: number): void {
  if (Number.isFinite(sum)) return;
  throw new AuroraError(
    'model',
    `The weight of ${path} has values that are not numbers (NaN or infinity), so it cannot be quantized.`,
    'Download the model again, or leave the layer out with --modules.',
  );
}

function writeLayer(
  { of, weight, scales, zeros }: Pending,
  q: Quantization,
  place: (t: Tensor, length: number, write: () => void) => void,
  write: (bytes: Uint8Array) => void,
): QuantizedLayer {
  const parts = { scales: [] as Float32Array[], zeros: [] as Uint8Array[] };
  let error = 0;
  let norm = 0;
  const bytes = (t: Tensor, size: number) => size * t.dims.reduce((a, b) => a * b, 1);
  place(weight, bytes(weight, 1), () => {
    for (const values of weightRows(of)) {
      const rows = quantizeRows(values, of.inFeatures, q);
      write(rows.packed);
      parts.scales.push(rows.scales);
      parts.zeros.push(rows.zeros);
      error += rows.error;
      norm += rows.norm;
    }
  });
  place(scales, bytes(scales, 4), () => {
    for (const s of parts.scales) write(new Uint8Array(s.buffer));
  });
  if (zeros) place(zeros, bytes(zeros, 1), () => parts.zeros.forEach((z) => write(z)));
  const { path, inFeatures, outFeatures } = of;
  requireFinite(path, error + norm);
  return { path, inFeatures, outFeatures, error: norm > 0 ? Math.sqrt(error / norm) : 0 };
}
