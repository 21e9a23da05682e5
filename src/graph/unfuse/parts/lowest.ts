import { DType } from '../../dtype';

const LOWEST: Record<number, number> = {
  [DType.float]: -3.4028234663852886e38,
  [DType.double]: -Number.MAX_VALUE,
  [DType.float16]: -65504,
  [DType.bfloat16]: -3.3895313892515355e38,
};

/**
 * The lowest number of a type of floats: the value of a score that no token may see. Finite, so that a row without any
 * key has no NaN.
 */
export const lowest = (type: number): number => LOWEST[type];
