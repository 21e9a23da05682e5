import type { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import { tensorOf } from '../values';
import type { FrozenProduct } from './frozen-products';
import { weightRows } from './outliers';

/**
 * Emits the float32 part of products in int8 whose activations have outlier channels (LLM.int8, Dettmers et al. 2022):
 * these channels are 0 in the rounded part, and have a separate thin product.
 */
export class ExactChannels {
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

  /** The product of these channels alone. @param alpha a factor on it */
  product({ node, operand }: FrozenProduct, channels: readonly number[], alpha: number): string {
    const { g } = this;
    const rows = weightRows(operand, channels).map((w) => alpha * w);
    const dims = [channels.length, rows.length / channels.length];
    const weight = g.addInitializer(tensorOf(g.fresh('rows'), DType.float, dims, rows));
    return g.op('MatMul', [g.op('Gather', [node.inputs[0], g.ints([...channels])], { axis: -1 }), weight]);
  }
}
