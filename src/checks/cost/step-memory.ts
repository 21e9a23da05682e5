import { LARGE_MODEL } from '../../engine/onnxruntime/step-constants';
import { weightBytes } from '../../graph/file/save';
import { isFourBit } from '../../graph/number-formats';
import { isFileRef, type Graph } from '../../graph/model';
import { looksUp } from '../../graph/quantized/lookup';
import type { FixedGraph } from '../../graph/sizes/sizes';
import type { StepMemory } from '../../protocol/step-cost';
import { availableMemory } from '../../training/micro-batch/available';
import { bytesOf, mostLiveBytes } from './live-bytes';

/** Node, this program and ONNX Runtime with its libraries, before a session: measured on Linux with Node 20. */
const PROGRAM_BYTES = 190e6;
/** The memory of the program and the runtime for each node of an open graph: measured with 3,000 to 8,000 nodes. */
const NODE_BYTES = 14e3;
/** Decoding images: the libraries, their threads, and the images of a batch. */
const IMAGES_BYTES = 100e6;

/**
 * The peak memory of a process that trains and evaluates on the CPU. Both graphs map the weights, those of a large model
 * in turn, and a runtime's memory for activations is kept once it was needed.
 *
 * @param parameters the number that are trained
 * @param images true if they are read from files
 */
export function stepMemory(
  step: FixedGraph,
  evaluation: FixedGraph,
  { parameters, images }: { parameters: number; images: boolean },
): StepMemory {
  const nodes = step.graph.nodes.length + evaluation.graph.nodes.length;
  const weights = [weightsRead(step), weightsRead(evaluation)];
  const live = [mostLiveBytes(step), mostLiveBytes(evaluation)];
  const inTurn = weightBytes(evaluation.graph) >= LARGE_MODEL;
  const parts = {
    program: PROGRAM_BYTES + NODE_BYTES * nodes + (images ? IMAGES_BYTES : 0),
    weights: inTurn ? Math.max(...weights) : weights[0] + weights[1],
    activations: live[0],
    evaluation: inTurn ? Math.max(0, live[1] - live[0]) : live[1],
    trained: 16 * parameters,
  };
  const total = Object.values(parts).reduce((a, b) => a + b, 0);
  const available = availableMemory();
  return { ...parts, total, available };
}

/** Bytes of the weights that a graph reads from files, in float32: of a table that is only looked up in, the rows. */
function weightsRead(fixed: FixedGraph): number {
  const rows = rowsRead(fixed);
  let bytes = 0;
  for (const { name, dtype, data } of fixed.graph.initializers.values())
    if (isFileRef(data))
      bytes += Math.min(isFourBit(dtype) ? data.length : bytesOf(fixed, name), rows.get(name) ?? Infinity);
  return bytes;
}

/** Bytes that are looked up in each table that nothing else reads. */
function rowsRead(fixed: FixedGraph): Map<string, number> {
  const rows = new Map<string, number>();
  const read = (graph: Graph, visit: (x: string, i: number, node: Graph['nodes'][number]) => void) =>
    graph.nodes.forEach((node) => node.inputs.forEach((x, i) => visit(x, i, node)));
  read(fixed.graph, (x, i, node) => {
    if (looksUp(node) && i === 0) rows.set(x, (rows.get(x) ?? 0) + bytesOf(fixed, node.outputs[0]));
  });
  read(fixed.graph, (x, i, node) => {
    if (!looksUp(node) || i > 0) rows.delete(x);
  });
  return rows;
}
