import type { Tensor as TfTensor, TypedArray } from '@tensorflow/tfjs-core';
import { isFloat } from '../../graph/dtype';
import type { Graph } from '../../graph/model';
import type { HostTensor, HostTensors } from '../engine';
import { takeFault } from './backends/webgpu';
import { faultError } from './failures';
import type { Tf, Value } from './op';
import { upload } from './value';
import { own } from '../../base/names';

/**
 * The tensors that a graph reads. Integers stay on the host until an operator needs them elsewhere: values computed
 * from a mask, such as a count, may decide a shape.
 */
export function feeds(tf: Tf, graph: Graph, tensors: HostTensors): [string, Value][] {
  return graph.inputs.flatMap(({ name }): [string, Value][] => {
    const t: HostTensor | undefined = own(tensors, name);
    if (!t) return [];
    if (!isFloat(t.dtype)) return [[name, { on: 'host', tensor: t }]];
    return [[name, { on: 'device', tensor: upload(tf, t), dtype: t.dtype }]];
  });
}

/**
 * Reads the tensors and releases them in any case.
 * @throws AuroraError if the GPU failed and the values are zeros
 */
export async function download(tf: Tf, tensors: readonly TfTensor[]): Promise<TypedArray[]> {
  try {
    const data = await Promise.all(tensors.map((t) => t.data()));
    const fault = takeFault();
    if (fault !== undefined) throw faultError(tf, fault);
    return data;
  } finally {
    tensors.forEach((t) => t.dispose());
  }
}
