/**
 * Columns of resources.bin, each a float64; about one record a second. A share is of everything there is: 1 is all
 * cores busy. NaN where it could not be measured.
 */
export const RESOURCE_COLUMNS = [
  /** Milliseconds since 1970. */
  'time',
  /** Optimizer steps done. */
  'step',
  /** The trainer's share of the machine's processors. */
  'processCpu',
  'machineCpu',
  /** Bytes in use. */
  'machineMemory',
  /** The GPU's use, as its driver measures it. */
  'gpu',
  /** Bytes in use on it, by all programs. */
  'gpuMemory',
] as const;
export type ResourceColumn = (typeof RESOURCE_COLUMNS)[number];
