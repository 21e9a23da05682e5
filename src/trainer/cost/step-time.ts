import { attrInt } from '../../graph/attributes';
import { elementCount } from '../../graph/model';
import { looksUp } from '../../graph/quantized/lookup';
import { productFlops } from '../../graph/sizes/products';
import type { FixedGraph } from '../../graph/sizes/sizes';
import type { MachineRates, StepTime } from '../../protocol/step-cost';
import { bytesOf, withoutTransposes } from './live-bytes';

/** Operators that compute a function of each value, which takes longer than moving it. */
const FUNCTIONS = new Set(
  'Exp Log Erf Tanh Sigmoid Softplus Gelu Softmax Sin Cos Pow HardSwish Mish Elu'.split(' '),
);
/** Nodes that only look at a tensor under other sizes. */
const FREE = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity', 'Shape']);

/**
 * How long a graph takes on the CPU: each node as long as its products, its functions or the bytes that it moves,
 * whichever takes longest (the roofline model: Williams, Waterman and Patterson, 2009), and a moment to be started.
 */
export function stepTime(fixed: FixedGraph, rates: MachineRates): StepTime {
  let seconds = 0;
  let all = 0;
  const dims = (name: string): number[] => fixed.infos.get(name)?.shape ?? [];
  for (const node of withoutTransposes(fixed.graph.nodes)) {
    if (FREE.has(node.opType)) continue;
    const { opType, inputs, outputs } = node;
    const flops = productFlops(opType, inputs.map(dims), dims(outputs[0]), attrInt(node, 'transA', 0) === 1);
    const read = looksUp(node) ? bytesOf(fixed, outputs[0]) : sum(inputs.map((x) => bytesOf(fixed, x)));
    const bytes = read + sum(outputs.map((y) => bytesOf(fixed, y)));
    const functions = FUNCTIONS.has(opType) ? elementCount(dims(outputs[0])) : 0;
    seconds += rates.secondsPerNode;
    seconds += Math.max(
      flops / (rates.gflops * 1e9),
      bytes / rates.bytesPerSecond,
      functions / rates.functionsPerSecond,
    );
    all += flops;
  }
  return { seconds, flops: all, rates };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
