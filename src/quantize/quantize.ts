import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { loadModelFrom } from '../architectures/load';
import type { ModelSource } from '../architectures/model-source';
import { AuroraError } from '../base/errors';
import { replaceFile, writeAll, writeAtomic } from '../files/atomic';
import { removeAbandoned } from '../files/temporary';
import { copyTensor, EXTERNAL_FROM, padded, sizeOf } from '../graph/file/save';
import type { Graph, Tensor } from '../graph/model';
import { encodeModel } from '../graph/onnx/encode';
import type { ExternalData } from '../graph/onnx/tensor';
import { upgraded } from '../graph/prepare';
import { integerRows, transposeInto } from '../graph/quantized/columns';
import { quantizeRows, type Quantization } from '../graph/quantized/quantize-rows';
import type { QuantizedLayer, QuantizeResult } from '../protocol/quantize';
import { quantizedGraph, type Pending, type QuantizedForm } from './quantized-graph';
import { weightRows } from './quantized-layers';

/** Pages of every system: runtimes map weights into memory. */
const PAGE = 2 ** 16;

/**
 * Writes a model with the weights of linear layers (MatMulNBits) and embeddings (GatherBlockQuantized) in few bits to an
 * ONNX file and a data file beside it, or in int8 columns (DequantizeLinear). Weights are read, quantized and written one after the other, so that memory holds
 * one of them. The model file is written last: without it, nothing is left that could be loaded.
 *
 * @param modules names of layers and embeddings, as in targetModules; by default all layers but the model's own output
 *   and those tied to an embedding
 * @param beforeModel writes what the model must not be without, such as its tokenizer
 * @throws AuroraError 'usage' if the file exists
 */
export function quantizeModel(
  source: ModelSource,
  out: string,
  form: QuantizedForm,
  modules: readonly string[] = [],
  onLayer: (layer: QuantizedLayer) => void = () => {},
  beforeModel: () => void = () => {},
): QuantizeResult {
  if (existsSync(out))
    throw new AuroraError(
      'usage',
      `${out} exists already.`,
      'Choose another name, or delete the file first.',
    );
  const model = upgraded(loadModelFrom(source, 'stored'));
  const { graph, pending, views } = quantizedGraph(model.graph, form, modules);
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
  beforeModel();
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
