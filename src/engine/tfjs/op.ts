import type * as tfjs from '@tensorflow/tfjs-core';
import type { HostTensor } from '../stepper';
import type { Node } from '../../graph/model';

/** tfjs-core with its backends, loaded only if this engine is chosen (library.ts). */
export type Tf = typeof tfjs;

/**
 * A value of the graph. Values that depend only on shapes and constants stay on the host, since an axis, a size or an
 * index must be known before an operator is called, and WebGPU's values cannot be read in the middle of a gradient. tfjs
 * has no int64 and no float64: `dtype` is the ONNX type and decides how an operator computes; the tensor is float32,
 * int32 or bool.
 */
export type Value = { on: 'host'; tensor: HostTensor } | { on: 'device'; tensor: tfjs.Tensor; dtype: number };

/**
 * A node's view of its inputs; attributes by graph/attributes. Positions count from 0; an omitted input is undefined.
 */
export interface OpContext {
  tf: Tf;
  node: Node;
  inputs: readonly (Value | undefined)[];
  /** The input on the backend; a host value is uploaded. */
  tensor(i: number): tfjs.Tensor;
  /** The input's dimensions, on either side. */
  dims(i: number): number[];
  /** ONNX element type of the input. */
  dtype(i: number): number;
  /** An input's integers, read from the device if need be. @throws AuroraError 'operator' if it is a GPU that cannot be waited for */
  ints(i: number): number[];
  /** True if the node has this input. */
  has(i: number): boolean;
  /** A result on the device with its ONNX type; the first input's type by default. */
  out(tensor: tfjs.Tensor, dtype?: number): Value;
}

/** An ONNX operator at the internal opset: its outputs in order. Differentiable if tfjs' operators are. */
export type Op = (c: OpContext) => Value[];

/** Operators by type; each `ops/*.ts` exports one such table. */
export type OpTable = Readonly<Record<string, Op>>;
