import { DType } from '../../graph/dtype';
import type { Model } from '../../graph/model';
import { narrowIntegers } from '../../graph/passes/narrow-integers';
import { webgpuOperators } from '../../graph/passes/webgpu-operators';
import type { HostTensor, HostTensors } from '../engine';
import type { OrtDevice } from '../place';
import { nameTable, own } from '../../base/names';

/** A copy of a step or evaluation graph that leaves its device only for shape arithmetic, as far as possible. */
export const deviceGraph = (model: Model, device: OrtDevice): Model =>
  device === 'webgpu' ? narrowIntegers(webgpuOperators(model)) : model;

/** The tensors that a graph reads, with the integer type that its device supports. */
export function deviceFeeds(model: Model, tensors: HostTensors): HostTensors {
  const feeds: HostTensors = nameTable();
  for (const { name, dtype } of model.graph.inputs) {
    const tensor = own(tensors, name);
    if (tensor) feeds[name] = dtype === DType.int32 ? toInt32(tensor) : tensor;
  }
  return feeds;
}

const toInt32 = (t: HostTensor): HostTensor =>
  t.dtype === DType.int64
    ? { dtype: DType.int32, dims: t.dims, data: Int32Array.from(t.data as BigInt64Array, Number) }
    : t;
