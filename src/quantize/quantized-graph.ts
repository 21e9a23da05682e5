import { toAttribute } from '../graph/attributes';
import { byteSize, DType } from '../graph/dtype';
import type { LinearLayer } from '../graph/layers/linear';
import { inFloat } from '../graph/layers/weight-operands';
import { elementCount, type FileRef, type Graph, type Model, type Node, type Tensor } from '../graph/model';
import { zeroRowBytes } from '../graph/quantized/nbits';
import type { Quantization } from '../graph/quantized/quantize-rows';
import { withoutUnused } from '../graph/reads';
import {
  chooseModules,
  type Chosen,
  quantizedLookup,
  quantizedNode,
  type RowsOfWeight,
} from './quantized-layers';

/** The form of stored weights: blocks of few bits, or int8 with one scale for each output, as int8 steps multiply them. */
export type QuantizedForm = Quantization | 'columns';

/** A weight that is quantized when its turn to be written comes. */
export interface Pending {
  of: RowsOfWeight;
  weight: Tensor;
  scales: Tensor;
  zeros: Tensor | undefined;
}

/** A graph whose quantized weights have no values yet. */
interface QuantizedGraph {
  graph: Graph;
  pending: Map<Tensor, Pending>;
  views: Map<Tensor, View>;
}

/**
 * @param modules names of layers and embeddings, as in targetModules; by default all layers but the model's own output and those tied
 *   to an embedding
 * @throws AuroraError 'targets' if there are none
 */
export function quantizedGraph(
  graph: Graph,
  form: QuantizedForm,
  modules: readonly string[] = [],
): QuantizedGraph {
  const chosen = chooseModules(graph, modules, form === 'columns' ? 1 : form.blockSize);
  return form === 'columns' ? withColumns(graph, chosen.layers) : withQuantized(graph, chosen, form);
}

/** A model as `quantizeModel` would write it, without the values of its weights: for estimates. */
export function quantizedOutline(model: Model, form: QuantizedForm): Model {
  const { graph, pending } = quantizedGraph(model.graph, form);
  const initializers = new Map(graph.initializers);
  for (const { weight, scales, zeros } of pending.values())
    for (const tensor of [weight, scales, ...(zeros ? [zeros] : [])])
      initializers.set(tensor.name, { ...tensor, data: unread(tensor) });
  return {
    ...model,
    opsets: new Map(model.opsets).set('com.microsoft', 1),
    graph: { ...graph, initializers },
  };
}

/** The place of a weight in a file that is not there. */
export const unread = ({ dtype, dims }: Pick<Tensor, 'dtype' | 'dims'>): FileRef => ({
  path: '',
  offset: 0,
  length: elementCount(dims) * byteSize(dtype)!,
});

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
