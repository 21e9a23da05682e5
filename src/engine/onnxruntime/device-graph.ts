import { DType } from '../../graph/dtype';
import type { Graph, Model } from '../../graph/model';
import { IN_BLOCKS_FROM, inBlocks } from '../../graph/passes/in-blocks';
import { narrowIntegers } from '../../graph/passes/narrow-integers';
import { webgpuOperators } from '../../graph/passes/webgpu-operators';
import { halvesInPieces } from '../../graph/pieces/halves';
import { nbitsInPieces } from '../../graph/pieces/nbits-pieces';
import { mayDealOut } from '../../graph/sizes/dealt-axes';
import { declareSizes } from '../../graph/sizes/sizes';
import type { HostTensor, HostTensors } from '../stepper';
import type { OrtDevice } from '../place';
import { nameTable, own } from '../../base/names';

/** A forward pass alone, or a step: with its backward pass, and perhaps with gradient checkpointing. */
export type GraphKind = 'forward' | 'step' | 'checkpointed-step';

/**
 * From so many nodes on, opening a graph takes a time that grows with the square of their number, unless it declares the sizes of its small
 * tensors (0.42 s instead of 0.21 s for 6 layers with all linear layers adapted, 1.6 s instead of 0.6 s for 12) or is in blocks.
 */
const MANY_NODES = 2000;

/**
 * Graphs in blocks open fastest and take as long to run. A forward pass has the same peak in blocks; where it declares sizes, ONNX Runtime
 * keeps freed buffers for later tensors of their size. A step declares sizes as long as it opens fast then, since its blocks keep what
 * they read until their end; its peak is higher by 3% for 6 layers (1,600 nodes), and by 11 to 13% with gradient checkpointing, which is
 * there to save it and declares none.
 */
const BLOCKS_FROM: Readonly<Record<GraphKind, number>> = {
  forward: MANY_NODES,
  step: IN_BLOCKS_FROM,
  'checkpointed-step': 5000,
};

/**
 * A step or evaluation graph as its device computes it best. On WebGPU, it leaves the device only for shape arithmetic, as
 * far as possible; on the CPU, no large weight is in memory in float32, and none twice.
 */
export function deviceGraph(model: Model, device: OrtDevice, kind: GraphKind = 'forward'): Model {
  if (device === 'webgpu') return narrowIntegers(webgpuOperators(model));
  if (device !== 'cpu') return model;
  const graph = openedFast(nbitsInPieces(halvesInPieces(model.graph)), kind);
  return graph === model.graph ? model : { ...model, graph };
}

function openedFast(graph: Graph, kind: GraphKind): Graph {
  const count = graph.nodes.length;
  // Sizes that data decide cannot be declared as equal: 5,000 nodes of 4 layers of 128 experts open in 7.8 s of CPU time, in blocks in 3.1 s.
  const from = kind === 'step' && mayDealOut(graph) ? MANY_NODES : BLOCKS_FROM[kind];
  if (count >= from) return inBlocks(graph);
  return count < MANY_NODES || kind === 'checkpointed-step' ? graph : declareSizes(graph);
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
