import type { NumberArray } from '../graph/values';

/** A tensor in host memory. `data` holds float16 as bits and int64 as bigints. */
export interface HostTensor {
  dtype: number;
  dims: number[];
  data: NumberArray;
}

export type HostTensors = Record<string, HostTensor>;

/** A graph ready to run on one device. */
export interface Executable {
  /** @param fetches output names; all of them by default */
  run(feeds: HostTensors, fetches?: readonly string[]): Promise<HostTensors>;
  dispose(): Promise<void>;
}
