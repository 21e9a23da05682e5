import type { NumberArray } from './values';

/** A tensor in host memory. `data` holds float16 as bits and int64 as bigints. */
export interface HostTensor {
  dtype: number;
  dims: number[];
  data: NumberArray;
}

export type HostTensors = Record<string, HostTensor>;
