import { attrFloat } from '../attributes';
import { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import type { Graph, Model, Node, Tensor } from '../model';
import { prune } from '../reads';
import { floatValues, tensorOf } from '../values';
import { int8Convolution, siluOutputs } from './convolutions';
import { type FrozenProduct, frozenProducts, isConvolution } from './frozen-products';
import { OriginalProducts, originalRows, type OriginalWeight } from './original-weights';
import { weightRows } from './outliers';
import { RowQuantizer } from './row-quantizer';
import { type Int8Weight, weightKey } from './weights-file';

/** By `weightKey`: the channels of the other factor that are multiplied in float32, in order. */
export type ExactInputs = ReadonlyMap<string, readonly number[]>;

/** Emits products of quantized rows and int8 weights into a copy of a graph. */
class Int8Products {
  private readonly nodes: Node[] = [];
  private readonly copy: Graph;
  readonly g: GraphBuilder;
  private readonly rows: RowQuantizer;
  private readonly channels: ExactChannels;
  private readonly originals: OriginalProducts;
  private readonly silu: ReadonlySet<string>;

  constructor(
    private readonly model: Model,
    private readonly weights: ReadonlyMap<string, Int8Weight>,
    private readonly exact: ExactInputs,
    largest: number,
  ) {
    const { graph } = model;
    this.copy = { ...graph, initializers: new Map(graph.initializers), inputs: [...graph.inputs] };
    this.g = new GraphBuilder(this.copy, '/int8', this.nodes);
    this.rows = new RowQuantizer(this.g, largest);
    this.channels = new ExactChannels(this.g);
    this.originals = new OriginalProducts(this.g);
    this.silu = siluOutputs(graph.nodes);
  }

  keep(node: Node): void {
    this.nodes.push(node);
  }

  /** Emits a product in float32 under a name; the weight is the original one, if it is there. */
  exactly(product: FrozenProduct, output: string): void {
    const { original } = this.weights.get(weightKey(product))!;
    if (original) this.originals.emit(product, original, output);
    else this.keep({ ...product.node, outputs: [output] });
  }

  /** Emits a product that replaces the node's, under a name. The integers add up exactly, in any order. */
  emit(product: FrozenProduct, output: string): void {
    const { g } = this;
    const { node, operand } = product;
    const [input] = node.inputs;
    const key = weightKey(product);
    const weight = this.weights.get(key)!;
    if (isConvolution(product)) {
      const isPositive = this.silu.has(input);
      return int8Convolution(g, this.rows, node, operand, weight, { output, isPositive });
    }
    const alpha = node.opType === 'Gemm' ? attrFloat(node, 'alpha', 1) : 1;
    const { values, transposed = false, scales, before, original } = weight;
    const width = values.dims[transposed ? 1 : 0];
    const exact = this.exact.get(key);
    const kept = exact ? this.channels.without(input, exact, width) : input;
    const x = this.rows.of(before ? g.op('Mul', [kept, g.addInitializer(before)]) : kept, width);
    const second = g.addInitializer(values);
    const factors = [
      x.values,
      transposed ? g.op('Transpose', [second], { perm: [1, 0] }) : second,
      g.scalar(1, DType.float),
      scales ? this.scaled(scales, alpha) : g.scalar(alpha, DType.float),
      this.rows.zeroPoint,
    ];
    // One pass over the product converts its type and applies the scales of its columns; those of the rows need
    // another.
    const columns = g.op('MatMulIntegerToFloat', factors, {}, { domain: 'com.microsoft' });
    const terms = [
      ...(exact ? [this.channels.product(input, rowsOf(product, exact, original), alpha)] : []),
      ...(node.opType === 'Gemm' && node.inputs[2] ? [scaledBias(g, node)] : []),
    ];
    const named = (nth: number) => (nth === terms.length ? { outputs: [output], name: g.fresh('int8') } : {});
    let y = g.op('Mul', [columns, x.scale], {}, named(0));
    for (const [i, term] of terms.entries()) y = g.op('Add', [y, term], {}, named(i + 1));
  }

  /** The scales of a weight's columns, times the factor of a Gemm. */
  private scaled(scales: Tensor, alpha: number): string {
    if (alpha === 1) return this.g.addInitializer(scales);
    const values = floatValues(scales).map((s) => alpha * s);
    return this.g.addInitializer(tensorOf(`${scales.name}·${alpha}`, DType.float, scales.dims, values));
  }

  finish(outputs = this.copy.outputs): Model {
    return {
      ...this.model,
      opsets: new Map(this.model.opsets).set('com.microsoft', 1),
      graph: prune({ ...this.copy, nodes: this.nodes, outputs }),
    };
  }
}

function scaledBias(g: GraphBuilder, gemm: Node): string {
  const beta = attrFloat(gemm, 'beta', 1);
  return beta === 1 ? gemm.inputs[2] : g.op('Mul', [gemm.inputs[2], g.scalar(beta, DType.float)]);
}

/**
 * A copy of a graph with its marked products in int8: rows of activations and gradients are quantized as they come, weights have
 * been (`writeInt8Weights`).
 *
 * @param weights by `weightKey`; products of other weights stay as they are
 * @param kept products in float32, by their weights (`weightKey`): those with an original weight read it
 * @param exact channels that do
 * @param largest magnitude of a rounded activation
 */
export function withInt8Products(
  model: Model,
  weights: ReadonlyMap<string, Int8Weight>,
  kept: ReadonlySet<string> = new Set(),
  exact: ExactInputs = new Map(),
  largest = LARGEST,
): Model {
  const found = frozenProducts(model.graph);
  const products = new Int8Products(model, weights, exact, largest);
  for (const node of model.graph.nodes) {
    const [y] = node.outputs;
    const product = found.get(y);
    if (!product || !weights.has(weightKey(product))) products.keep(node);
    else if (kept.has(weightKey(product))) products.exactly(product, y);
    else products.emit(product, y);
  }
  return products.finish();
}

/**
 * Emits the float32 part of products in int8 whose activations have outlier channels (LLM.int8, Dettmers et al. 2022):
 * these channels are 0 in the rounded part, and have a separate thin product.
 */
class ExactChannels {
  private readonly masked = new Map<string, string>();

  constructor(private readonly g: GraphBuilder) {}

  /** x, of this width, with zeros in these channels; one pass for all its products. */
  without(x: string, channels: readonly number[], width: number): string {
    const key = `${x}:${channels.join()}`;
    const known = this.masked.get(key);
    if (known !== undefined) return known;
    const mask = Array<number>(width).fill(1);
    for (const channel of channels) mask[channel] = 0;
    const masked = this.g.op('Mul', [x, this.g.constant(DType.float, [width], mask)]);
    this.masked.set(key, masked);
    return masked;
  }

  /** The product of these channels of x alone. @param alpha a factor on it */
  product(x: string, { channels, values }: ExactRows, alpha: number): string {
    const { g } = this;
    const rows = values.map((w) => alpha * w);
    const dims = [channels.length, rows.length / channels.length];
    const weight = g.addInitializer(tensorOf(g.fresh('rows'), DType.float, dims, rows));
    return g.op('MatMul', [g.op('Gather', [x, g.ints([...channels])], { axis: -1 }), weight]);
  }
}

/** Rows of a weight for some channels of the other factor: (channels, out). */
interface ExactRows {
  channels: readonly number[];
  values: Float32Array;
}

/** Large activations multiply the rounding of a stored weight, too: these rows are the original ones. */
const rowsOf = (
  product: FrozenProduct,
  channels: readonly number[],
  original: OriginalWeight | undefined,
): ExactRows => ({
  channels,
  values: original ? originalRows(product, original, channels) : weightRows(product.operand, channels),
});

/** The largest magnitude of a rounded activation by default. */
export const LARGEST = 127;

export interface SwitchedProducts {
  model: Model;
  /** By `weightKey`: an input of the graph, a boolean that is true if the products of this weight are in int8. */
  switches: Map<string, string>;
}

/**
 * A step's graph that computes some products both in float32 and in int8, so that one session can try every choice
 * between them. All others are in int8.
 *
 * @param weights by `weightKey`; products of other weights stay as they are
 * @param either their weights (`weightKey`)
 */
export function switchedProducts(
  model: Model,
  weights: ReadonlyMap<string, Int8Weight>,
  either: ReadonlySet<string>,
  exact: ExactInputs,
  largest = LARGEST,
): SwitchedProducts {
  const found = frozenProducts(model.graph);
  const products = new Int8Products(model, weights, exact, largest);
  const { g } = products;
  const switches = new Map<string, string>();
  for (const node of model.graph.nodes) {
    const product = found.get(node.outputs[0]);
    if (!product || !weights.has(weightKey(product))) {
      products.keep(node);
      continue;
    }
    const key = weightKey(product);
    const [y] = node.outputs;
    if (!either.has(key)) {
      products.emit(product, y);
      continue;
    }
    const inInt8 = switches.get(key) ?? g.addInput(g.fresh('switch'), DType.bool, []);
    switches.set(key, inInt8);
    const [exact, rounded] = [g.fresh('exact'), g.fresh('rounded')];
    products.exactly(product, exact);
    products.emit(product, rounded);
    g.op('Where', [inInt8, rounded, exact], {}, { outputs: [y], name: g.fresh('Where') });
  }
  return { model: products.finish(), switches };
}
