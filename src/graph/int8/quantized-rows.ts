import type { GraphBuilder } from '../builder';
import { DType } from '../dtype';

/** A row in unsigned integers around `ZERO_POINT`, of which the largest is this far away. */
const LARGEST = 127;
const ZERO_POINT = 128;
/** In place of the largest magnitude of a row of zeros. */
const TINY = 1e-30;

/** x ≈ (values − ZERO_POINT) · scale. */
export interface QuantizedRows {
  /** uint8, of x's shape. */
  values: string;
  /** The scale in x's shape, with a last axis of 1. */
  scale: string;
}

/**
 * Emits the quantization of activations and gradients, each row (the last axis) by its own largest magnitude: a
 * quantized row does not depend on any other, and so not on the batch that it is in. A tensor that several products
 * read is quantized once.
 */
export class RowQuantizer {
  private readonly known = new Map<string, QuantizedRows>();

  constructor(private readonly g: GraphBuilder) {}

  /** @param width of x's last axis */
  of(x: string, width: number): QuantizedRows {
    const rows = this.known.get(x) ?? this.quantize(x, width);
    this.known.set(x, rows);
    return rows;
  }

  get zeroPoint(): string {
    return this.g.scalar(ZERO_POINT, DType.uint8);
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
    const scale = g.op('Unsqueeze', [g.op('Mul', [largest, number(1 / LARGEST)]), last]);
    const zero = g.op('Expand', [this.zeroPoint, g.op('Shape', [scale])]);
    const values = g.op('QuantizeLinear', [x, scale, zero], { axis: -1, block_size: width });
    return { values, scale };
  }
}
