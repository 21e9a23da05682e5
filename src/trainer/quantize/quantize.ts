import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { loadUnconverted } from '../../architectures/load';
import { AuroraError } from '../../base/errors';
import { replaceFile, writeAll, writeAtomic } from '../../files/atomic';
import { removeAbandoned } from '../../files/temporary';
import { DType } from '../../graph/dtype';
import { copyTensor, EXTERNAL_FROM, padded, sizeOf } from '../../graph/file/data-file';
import type { LinearLayer } from '../../graph/layers/linear';
import type { Graph, Model, Tensor } from '../../graph/model';
import { encodeModel } from '../../graph/onnx/encode';
import type { ExternalData } from '../../graph/onnx/tensor';
import { upgraded } from '../../graph/prepare';
import { withoutUnused } from '../../graph/prune';
import { zeroRowBytes } from '../../graph/quantized/nbits';
import { quantizeRows, type Quantization } from '../../graph/quantized/quantize-rows';
import type { QuantizedLayer, QuantizeResult } from '../../protocol/quantize';
import { layersToQuantize, quantizedNode } from './layers';
import { weightRows } from './weight-rows';

/** Pages of every system: runtimes map weights into memory. */
const PAGE = 2 ** 16;

/** A weight that is quantized when its turn to be written comes. */
interface Pending {
  layer: LinearLayer;
  weight: Tensor;
  scales: Tensor;
  zeros: Tensor | undefined;
}

/**
 * Writes a model with the weights of linear layers in few bits (MatMulNBits) to an ONNX file and a data file beside it.
 * Weights are read, quantized and written one after the other, so that memory holds one of them. The model file is
 * written last: without it, nothing is left that could be loaded.
 *
 * @param source an ONNX file, or a folder from the hub
 * @param modules names of layers, as in targetModules; by default all but the model's own output and tied embeddings
 * @throws AuroraError 'usage' if the file exists
 */
export function quantizeModel(
  source: string,
  out: string,
  q: Quantization,
  modules: readonly string[] = [],
  onLayer: (layer: QuantizedLayer) => void = () => {},
): QuantizeResult {
  if (existsSync(out))
    throw new AuroraError(
      'usage',
      `${out} exists already.`,
      'Choose another name, or delete the file first.',
    );
  const model = upgraded(loadUnconverted(source));
  const chosen = layersToQuantize(model.graph, modules);
  const { graph, pending } = withQuantized(model.graph, chosen, q);
  const location = `${basename(out)}.data`;
  const dataPath = `${out}.data`;
  const places = new Map<Tensor, ExternalData>();
  const layers: QuantizedLayer[] = [];
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
      if (own) layers.push(writeLayer(own, q, place, (bytes) => writeAll(fd, bytes), onLayer));
      else if (!places.has(t) && sizeOf(t) >= EXTERNAL_FROM) place(t, sizeOf(t), () => copyTensor(fd, t));
    }
  });
  const opsets = new Map(model.opsets).set('com.microsoft', 1);
  writeAtomic(
    out,
    encodeModel({ ...model, opsets, graph }, (t) => places.get(t)),
  );
  return { path: out, bytes: end, layers, kept: keptLayers(graph) };
}

/** Linear layers whose weight stays as it was. */
const keptLayers = (graph: Graph): string[] =>
  graph.nodes
    .filter((n) => n.opType === 'MatMul' || n.opType === 'Gemm')
    .flatMap((n) => (graph.initializers.has(n.inputs[1]) ? [n.name] : []));

function withQuantized(source: Graph, layers: readonly LinearLayer[], q: Quantization) {
  const pending = new Map<Tensor, Pending>();
  const initializers = new Map(source.initializers);
  const replaced = new Map<Model['graph']['nodes'][0], Model['graph']['nodes'][0]>();
  const made = new Map<Tensor, string[]>();
  for (const layer of layers) {
    const { weight, inFeatures, outFeatures, calls } = layer;
    const blocks = Math.ceil(inFeatures / q.blockSize);
    const layout = { bits: q.bits, blockSize: q.blockSize, blocks };
    const tensor = (ending: string, dtype: number, dims: number[]): Tensor => ({
      name: `${weight.name}_${ending}`,
      dtype,
      dims,
      data: new Uint8Array(),
    });
    let names = made.get(weight);
    if (!names) {
      const packed = tensor(`Q${q.bits}`, DType.uint8, [outFeatures, blocks, (q.blockSize * q.bits) / 8]);
      const scales = tensor('scales', DType.float, [outFeatures, blocks]);
      const zeros = q.symmetric
        ? undefined
        : tensor('zero_points', DType.uint8, [outFeatures, zeroRowBytes(layout)]);
      const all = [packed, scales, ...(zeros ? [zeros] : [])];
      for (const t of all) initializers.set(t.name, t);
      pending.set(packed, { layer, weight: packed, scales, zeros });
      made.set(weight, (names = all.map((t) => t.name)));
    }
    for (const { node } of calls) replaced.set(node, quantizedNode(node, layer, q, names));
  }
  const nodes = source.nodes.map((n) => replaced.get(n) ?? n);
  return { graph: withoutUnused({ ...source, nodes, initializers }), pending };
}

function writeLayer(
  { layer, weight, scales, zeros }: Pending,
  q: Quantization,
  place: (t: Tensor, length: number, write: () => void) => void,
  write: (bytes: Uint8Array) => void,
  onLayer: (layer: QuantizedLayer) => void,
): QuantizedLayer {
  const parts = { scales: [] as Float32Array[], zeros: [] as Uint8Array[] };
  let error = 0;
  let norm = 0;
  const bytes = (t: Tensor, size: number) => size * t.dims.reduce((a, b) => a * b, 1);
  place(weight, bytes(weight, 1), () => {
    for (const values of weightRows(layer)) {
      const rows = quantizeRows(values, layer.inFeatures, q);
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
  const { path, inFeatures, outFeatures } = layer;
  if (!Number.isFinite(error + norm))
    throw new AuroraError(
      'model',
      `The weight of ${path} has values that are not numbers (NaN or infinity), so it cannot be quantized.`,
      'Download the model again, or leave the layer out with --modules.',
    );
  const made = { path, inFeatures, outFeatures, error: norm > 0 ? Math.sqrt(error / norm) : 0 };
  onLayer(made);
  return made;
}
