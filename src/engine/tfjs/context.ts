import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import type { Node } from '../../graph/model';
import { AuroraError } from '../../base/errors';
import type { OpContext, Tf, Value } from './op';
import { hostNumbers } from './value';

/** The backend whose values cannot be read while a graph runs. */
const ASYNCHRONOUS = 'webgpu';

export const describeNode = (node: Node): string =>
  `the ${node.opType} node ${node.name || node.outputs[0] || '(unnamed)'}`;

/** @param uploaded a host value on the backend; the caller decides how long it is kept */
export function contextOf(
  tf: Tf,
  node: Node,
  inputs: readonly (Value | undefined)[],
  uploaded: (value: Value) => TfTensor,
): OpContext {
  const given = (i: number): Value => {
    const value = inputs[i];
    if (!value)
      throw new AuroraError(
        'operator',
        `Input ${i} of ${describeNode(node)} is missing.`,
        'Check that the model runs in ONNX Runtime.',
      );
    return value;
  };
  const dtype = (i: number): number => {
    const value = given(i);
    return value.on === 'host' ? value.tensor.dtype : value.dtype;
  };
  return {
    tf,
    node,
    inputs,
    tensor: (i) => uploaded(given(i)),
    dims(i) {
      const value = given(i);
      return value.on === 'host' ? value.tensor.dims : value.tensor.shape;
    },
    dtype,
    ints(i) {
      const value = given(i);
      if (value.on === 'host') return Array.from(hostNumbers(value.tensor));
      if (tf.getBackend() !== ASYNCHRONOUS) return Array.from(value.tensor.dataSync());
      throw new AuroraError(
        'operator',
        `Input ${i} of ${describeNode(node)} depends on the data, but on WebGPU, TensorFlow.js needs it before the node runs.`,
        'Use another device of this engine, or the ONNX Runtime engine.',
      );
    },
    has: (i) => inputs[i] !== undefined,
    out: (tensor, type = dtype(0)) => ({ on: 'device', tensor, dtype: type }),
  };
}
