import type { GraphBuilder } from '../builder';
import { DType } from '../dtype';

/** In place of the largest magnitude of a row of zeros. */
const TINY = 1e-30;

/** x ≈ (values − zero point) · scale. */
export interface QuantizedRows {
  /** uint8, of x's shape. */
  values: string;
  /** The scale in x's shape, with a last axis of 1. */
  scale: string;
  /** The zero point in the scale's shape. */
  zero: string;
}

/**
 * Emits the quantization of activations and gradients, each row (the last axis) by its own largest magnitude: a
 * quantized row does not depend on any other, and so not on the batch that it is in. A tensor that several products
 * read is quantized once.
 */
export class RowQuantizer {
  private readonly known = new Map<string, QuantizedRows>();

  /** @param largest magnitude of an integer, which is unsigned around the zero point */
  constructor(
    private readonly g: GraphBuilder,
    readonly largest: number,
  ) {}

  /** @param width of x's last axis */
  of(x: string, width: number): QuantizedRows {
    const rows = this.known.get(x) ?? this.quantize(x, width);
    this.known.set(x, rows);
    return rows;
  }

  get zeroPoint(): string {
    return this.g.scalar(this.largest + 1, DType.uint8);
  }

  /**
   * Reads x three times: for the largest and the smallest value of each row, and to round. Each row is one block. Their
   * scales get their last axis, of size 1, at the end: with it, ONNX Runtime takes ten times as long for each number.
   */
  private quantize(x: string, width: number): QuantizedRows {
    const { g } = this;
    const number = (value: number) => g.scalar(value, DType.float);
    const last = g.ints([-1]);
    // Faster than the largest of Abs, which would write x once more.
    const above = g.op('ReduceMax', [x, last], { keepdims: 0 });
    const below = g.op('Neg', [g.op('ReduceMin', [x, last], { keepdims: 0 })]);
    const largest = g.op('Max', [above, below, number(TINY)]);
    const scale = g.op('Unsqueeze', [g.op('Mul', [largest, number(1 / this.largest)]), last]);
    const zero = g.op('Expand', [this.zeroPoint, g.op('Shape', [scale])]);
    return { values: this.rounded(x, scale, zero, width), scale, zero };
  }

  /** x in integers. @param scale of each row */
  rounded(x: string, scale: string, zero: string, width: number): string {
    return this.g.op('QuantizeLinear', [x, scale, zero], { axis: -1, block_size: width });
  }
}
