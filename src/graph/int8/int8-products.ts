import { attrFloat } from '../attributes';
import { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import { frozenProducts, type FrozenProduct } from './frozen-products';
import type { Graph, Model, Node } from '../model';
import { prune } from '../prune';
import { floatValues, tensorOf } from '../values';
import { RowQuantizer } from './quantized-rows';
import { weightKey, type Int8Weight } from './weights-file';

/** Emits products of quantized rows and int8 weights into a copy of a graph. */
export class Int8Products {
  private readonly nodes: Node[] = [];
  private readonly copy: Graph;
  readonly g: GraphBuilder;
  private readonly rows: RowQuantizer;

  constructor(
    private readonly model: Model,
    private readonly weights: ReadonlyMap<string, Int8Weight>,
  ) {
    const { graph } = model;
    this.copy = { ...graph, initializers: new Map(graph.initializers), inputs: [...graph.inputs] };
    this.g = new GraphBuilder(this.copy, '/int8', this.nodes);
    this.rows = new RowQuantizer(this.g);
  }

  keep(node: Node): void {
    this.nodes.push(node);
  }

  /** The same as the product's node, under a name. The integers add up exactly, in any order. */
  emit(product: FrozenProduct, output: string): void {
    const { g } = this;
    const { node } = product;
    const bias = node.opType === 'Gemm' && node.inputs[2] ? scaledBias(g, node) : undefined;
    const { values, scales, width } = this.weightOf(product);
    const x = this.rows.of(node.inputs[0], width);
    const one = g.scalar(1, DType.float);
    const inputs = [x.values, values, one, scales, this.rows.zeroPoint];
    // One pass over the product for its type and the scales of its columns; those of the rows need another.
    const columns = g.op('MatMulIntegerToFloat', inputs, {}, { domain: 'com.microsoft' });
    const scaled = { outputs: [output], name: g.fresh('Mul') };
    if (bias === undefined) g.op('Mul', [columns, x.scale], {}, scaled);
    else
      g.op('Add', [g.op('Mul', [columns, x.scale]), bias], {}, { outputs: [output], name: g.fresh('Add') });
  }

  finish(outputs = this.copy.outputs): Model {
    return {
      ...this.model,
      opsets: new Map(this.model.opsets).set('com.microsoft', 1),
      graph: prune({ ...this.copy, nodes: this.nodes, outputs }),
    };
  }

  private weightOf(product: FrozenProduct): { values: string; scales: string; width: number } {
    const { g } = this;
    const { values, scales } = this.weights.get(weightKey(product))!;
    const alpha = product.node.opType === 'Gemm' ? attrFloat(product.node, 'alpha', 1) : 1;
    const own =
      alpha === 1
        ? scales
        : tensorOf(
            `${scales.name}·${alpha}`,
            DType.float,
            scales.dims,
            floatValues(scales).map((s) => alpha * s),
          );
    return { values: g.addInitializer(values), scales: g.addInitializer(own), width: values.dims[0] };
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
 */
export function withInt8Products(
  model: Model,
  weights: ReadonlyMap<string, Int8Weight>,
  kept: ReadonlySet<string> = new Set(),
): Model {
  const found = frozenProducts(model.graph);
  const products = new Int8Products(model, weights);
  for (const node of model.graph.nodes) {
    const product = found.get(node.outputs[0]);
    if (product && !kept.has(weightKey(product))) products.emit(product, node.outputs[0]);
    else products.keep(node);
  }
  return products.finish();
}
