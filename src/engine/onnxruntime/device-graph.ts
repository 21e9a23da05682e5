import { DType } from '../../graph/dtype';
import type { Graph, Model } from '../../graph/model';
import { IN_BLOCKS_FROM, inBlocks } from '../../graph/passes/in-blocks';
import { narrowIntegers } from '../../graph/passes/narrow-integers';
import { webgpuOperators } from '../../graph/passes/webgpu-operators';
import { halvesInPieces } from '../../graph/pieces/halves';
import { nbitsInPieces } from '../../graph/pieces/nbits-pieces';
import { declareSizes } from '../../graph/sizes/sizes';
import type { HostTensor, HostTensors } from '../stepper';
import type { OrtDevice } from '../place';
import { nameTable, own } from '../../base/names';

/**
 * From so many nodes on, a graph declares the sizes of its small tensors. Without, opening takes a time that grows with the square of their
 * number (0.42 s instead of 0.21 s for 6 layers with all linear layers adapted, 1.6 s instead of 0.6 s for 12). With, ONNX Runtime keeps
 * freed buffers for later tensors of their size, and a step's peak is higher: by 3% for 6 layers (1,600 nodes), and by 11 to 13% with gradient
 * checkpointing, which is there to save it and declares none.
 */
const MANY_NODES = 2000;
const IN_BLOCKS_OF_CHECKPOINTING = 5000;

/**
 * A step or evaluation graph as its device computes it best. On WebGPU, it leaves the device only for shape arithmetic, as
 * far as possible; on the CPU, no large weight is in memory in float32, and none twice.
 */
export function deviceGraph(model: Model, device: OrtDevice, gradientCheckpointing = false): Model {
  if (device === 'webgpu') return narrowIntegers(webgpuOperators(model));
  if (device !== 'cpu') return model;
  const pieces = nbitsInPieces(halvesInPieces(model.graph));
  const graph = openedFast(pieces, gradientCheckpointing);
  return graph === model.graph ? model : { ...model, graph };
}

function openedFast(graph: Graph, gradientCheckpointing: boolean): Graph {
  const count = graph.nodes.length;
  if (count >= (gradientCheckpointing ? IN_BLOCKS_OF_CHECKPOINTING : IN_BLOCKS_FROM)) return inBlocks(graph);
  return count < MANY_NODES || gradientCheckpointing ? graph : declareSizes(graph);
}

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
