import { attrFloat } from '../attributes';
import type { GraphBuilder } from '../builder';
import { DType, isFloat } from '../dtype';
import { findLinearLayers } from '../layers/linear';
import type { Graph, Tensor } from '../model';
import { flattened, shapedLike } from '../pieces/row-pieces';
import type { FrozenProduct } from './frozen-products';
import { weightRows } from './outliers';

/** A linear layer's weight before it was rounded: `alpha` · `weight`, (out, in) if `transposed`. */
export interface OriginalWeight {
  weight: Tensor;
  transposed: boolean;
  alpha: number;
}

/** The weights of a model's linear layers in floats, by their names. */
export function originalWeights(graph: Graph): Map<string, OriginalWeight> {
  const found = new Map<string, OriginalWeight>();
  for (const { weight, transposed, alpha, firstColumn } of findLinearLayers(graph))
    // A weight that is read in another way, too, was rounded for that under another name.
    if (isFloat(weight.dtype) && firstColumn === undefined && !found.has(weight.name))
      found.set(weight.name, { weight, transposed, alpha });
  return found;
}

/**
 * The rows (in, out) of a weight for some inputs of a product, in float32.
 *
 * @param product whose graph has the rounded weight
 */
export function originalRows(
  { operand }: FrozenProduct,
  { weight, transposed, alpha }: OriginalWeight,
  channels: readonly number[],
): Float32Array {
  const { dims, dtype: type } = weight;
  const read = { tensor: weight, dims, transposed: transposed !== operand.transposed, plain: true, type };
  return weightRows(read, channels).map((w) => alpha * w);
}

/** Emits products in float32 of weights before they were rounded, where the graph's own were. */
export class OriginalProducts {
  private readonly widened = new Map<string, string>();

  constructor(private readonly g: GraphBuilder) {}

  /** @param output the name of the product */
  emit({ node, operand }: FrozenProduct, original: OriginalWeight, output: string): void {
    const { g } = this;
    const [x, , ...bias] = node.inputs;
    const transB = original.transposed !== operand.transposed;
    const alpha = original.alpha * (node.opType === 'Gemm' ? attrFloat(node, 'alpha', 1) : 1);
    const w = this.inFloat32(original.weight);
    const inputs = [x, w, ...bias];
    const factors = { transB: transB ? 1 : 0, alpha: { float: alpha } };
    if (node.opType === 'Gemm')
      g.op(
        'Gemm',
        inputs,
        { ...factors, beta: { float: attrFloat(node, 'beta', 1) } },
        { outputs: [output] },
      );
    else if (!transB && alpha === 1) g.op('MatMul', inputs, {}, { outputs: [output] });
    else {
      const [width, outputs] = operand.transposed ? operand.dims.toReversed() : operand.dims;
      shapedLike(g, g.op('Gemm', [flattened(g, x, width), w], factors), x, outputs, output);
    }
  }

  private inFloat32(weight: Tensor): string {
    const known = this.widened.get(weight.name);
    if (known !== undefined) return known;
    // The dequantized weight has its name.
    const stored = this.g.addInitializer({ ...weight, name: `${weight.name}.original` });
    const w = weight.dtype === DType.float ? stored : this.g.op('Cast', [stored], { to: DType.float });
    this.widened.set(weight.name, w);
    return w;
  }
}
