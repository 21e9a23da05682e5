/** The cost of a training step, estimated from the graph that would run. All memory in bytes. */
export interface StepCost {
  method: string;
  rank?: number;
  batch: number;
  /** Bits of the weights of linear layers, if they are quantized. */
  quantize?: 4 | 8;
  /** Set if products with frozen weights are in int8. */
  precision?: 'int8';
  /** Tokens of each text; left out if the model reads no texts. */
  length?: number;
  memory?: StepMemory;
  time?: StepTime;
  /** The reason why the estimate, or its time, is missing. */
  problem?: string;
}

export interface StepMemory {
  /** The program and the runtime with its graphs, without tensors. */
  program: number;
  /** Weights that are read, in the graph of the step and in that of evaluations. */
  weights: number;
  /** The results of the forward pass that the backward pass reads, at their peak. */
  activations: number;
  /** At the peak of an evaluation. */
  evaluation: number;
  /** Trained parameters, their gradients and AdamW's two moments. */
  trained: number;
  total: number;
  /**
   * Not in the total: weights before they were rounded, if all layers stay in float32. Only a run finds out how many do not tolerate
   * int8.
   */
  original?: number;
  /** The memory available on this machine now; undefined where the system does not report it. */
  available?: number;
}

export interface StepTime {
  seconds: number;
  /** Additions and multiplications in products of matrices. */
  flops: number;
  rates: MachineRates;
}

/** The measured speed of this machine's CPU. */
export interface MachineRates {
  /** Milliseconds since 1970. */
  at: number;
  /** 0 for one per core. */
  threads: number;
  /** True if other programs used all cores during the measurement. */
  busy?: boolean;
  /** Billions of additions and multiplications per second in products of matrices. */
  gflops: number;
  /** Billions of additions and multiplications per second in products of integers of 8 bits. */
  int8Gflops: number;
  /** Values per second that are widened from 4 bits in blocks, or from 8 bits with a scale for each column. */
  widened: { blocks: number; columns: number };
  /** Bytes read and written per second by elementwise operators. */
  bytesPerSecond: number;
  /** The time to start one operator, however small its tensors are. */
  secondsPerNode: number;
  /** Values of a function such as erf per second. */
  functionsPerSecond: number;
}
