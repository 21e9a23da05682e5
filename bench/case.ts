import type { TrainedSpec } from '../src/experiment/methods';

/** The position of an encoder weight in the ONNX file, under its PyTorch module's name. */
export interface StoredWeight {
  /** (in, out) in the file: PyTorch's is its transpose. */
  transposed: boolean;
  dims: number[];
  /** In bytes. */
  offset: number;
}

export interface DenseArray {
  dims: number[];
  data: number[];
}

/** A benchmark case: everything that both programs need to run the same steps. */
export interface BenchCase {
  /** The ONNX file, next to the case. */
  model: string;
  heads: number;
  epsilon: number;
  weights: Record<string, StoredWeight>;
  inputs: Record<string, DenseArray>;
  labels: DenseArray;
  pooling: 'mean' | 'first-token';
  classes: number;
  adapter: TrainedSpec;
  /** The cost of a step's graph, whose products alone are counted as FLOPs. */
  cost: { nodes: number; flops: number };
  /** Paths of the adapted layers. */
  modules: string[];
  /** Initial values. */
  trainable: Record<string, DenseArray>;
  adamw: { lr: number; betas: [number, number]; eps: number; weightDecay: number };
}

export const HEAD = { weight: 'head.weight', bias: 'head.bias', classes: 2 };
