import type { DTypeCode } from './dtype';
import type { NumberArray } from './values';

/**
 * The known facts about a tensor at run time. An axis is a number if it never changes, else a symbol: axes with the
 * same symbol always have the same size, and a symbolic axis never stands for a broadcast 1.
 */
export interface TensorInfo {
  dtype: DTypeCode;
  shape: (number | string)[];
}

export type TensorInfos = ReadonlyMap<string, TensorInfo>;

export const sameShape = (a: readonly (number | string)[], b: readonly (number | string)[]): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i]);

/** A tensor in host memory. `data` holds float16 as bits and int64 as bigints. */
export interface HostTensor {
  dtype: number;
  dims: number[];
  data: NumberArray;
}

export type HostTensors = Record<string, HostTensor>;
