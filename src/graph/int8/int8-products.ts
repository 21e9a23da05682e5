import { attrFloat } from '../attributes';
import { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import { ExactChannels } from './exact-channels';
import { frozenProducts, type FrozenProduct } from './frozen-products';
import type { Graph, Model, Node, Tensor } from '../model';
import { prune } from '../prune';
import { floatValues, tensorOf } from '../values';
import { RowQuantizer } from './quantized-rows';
import { weightKey, type Int8Weight } from './weights-file';

/** By `weightKey`: the channels of the other factor that are multiplied in float32. */
export type ExactInputs = ReadonlyMap<string, readonly number[]>;

/** Emits products of quantized rows and int8 weights into a copy of a graph. */
export class Int8Products {
  private readonly nodes: Node[] = [];
  private readonly copy: Graph;
  readonly g: GraphBuilder;
  private readonly rows: RowQuantizer;
  private readonly channels: ExactChannels;

  constructor(
    private readonly model: Model,
    private readonly weights: ReadonlyMap<string, Int8Weight>,
    private readonly exact: ExactInputs,
  ) {
    const { graph } = model;
    this.copy = { ...graph, initializers: new Map(graph.initializers), inputs: [...graph.inputs] };
    this.g = new GraphBuilder(this.copy, '/int8', this.nodes);
    this.rows = new RowQuantizer(this.g);
    this.channels = new ExactChannels(this.g);
  }

  keep(node: Node): void {
    this.nodes.push(node);
  }

  /** Emits a product that replaces the node's, under a name. The integers add up exactly, in any order. */
  emit(product: FrozenProduct, output: string): void {
    const { g } = this;
    const { node } = product;
    const [input] = node.inputs;
    const key = weightKey(product);
    const alpha = node.opType === 'Gemm' ? attrFloat(node, 'alpha', 1) : 1;
    const { values, scales } = this.weights.get(key)!;
    const [width] = values.dims;
    const exact = this.exact.get(key);
    const x = this.rows.of(exact ? this.channels.without(input, exact, width) : input, width);
    const weight = [g.addInitializer(values), g.scalar(1, DType.float), this.scaled(scales, alpha)];
    const factors = [x.values, ...weight, this.rows.zeroPoint];
    // One pass over the product converts its type and applies the scales of its columns; those of the rows need
    // another.
    const columns = g.op('MatMulIntegerToFloat', factors, {}, { domain: 'com.microsoft' });
    const terms = [
      ...(exact ? [this.channels.product(product, exact, alpha)] : []),
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
 * A copy of a step's graph with its marked products in int8: rows of activations and gradients are quantized as they
 * come, weights have been (`writeInt8Weights`).
 *
 * @param kept products that stay in float32, by their weights (`weightKey`)
 * @param exact channels that do
 */
export function withInt8Products(
  model: Model,
  weights: ReadonlyMap<string, Int8Weight>,
  kept: ReadonlySet<string> = new Set(),
  exact: ExactInputs = new Map(),
): Model {
  const found = frozenProducts(model.graph);
  const products = new Int8Products(model, weights, exact);
  for (const node of model.graph.nodes) {
    const product = found.get(node.outputs[0]);
    if (product && !kept.has(weightKey(product))) products.emit(product, node.outputs[0]);
    else products.keep(node);
  }
  return products.finish();
}
