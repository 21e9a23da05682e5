import { elementCount } from '../../graph/model';
import type { FixedGraph } from '../../graph/sizes/sizes';
import type { MachineRates, StepTime } from '../../protocol/step-cost';
import { nodeWork, sum } from './node-work';

/** Operators that compute a function of each value, which takes longer than moving it. */
const FUNCTIONS = new Set(
  'Exp Log Erf Tanh Sigmoid Softplus Gelu Softmax Sin Cos Pow HardSwish Mish Elu'.split(' '),
);

/**
 * The time that a graph takes on the CPU: each node as long as its products, its functions or the bytes that it moves,
 * whichever takes longest (the roofline model: Williams, Waterman and Patterson, 2009), and a moment to be started.
 */
export function stepTime(fixed: FixedGraph, rates: MachineRates): StepTime {
  const work = nodeWork(fixed);
  const seconds = work.map(({ node, flops, bytes }) => {
    const [y] = node.outputs;
    const functions = FUNCTIONS.has(node.opType) ? elementCount(fixed.infos.get(y)?.shape ?? []) : 0;
    const longest = Math.max(
      flops / (rates.gflops * 1e9),
      bytes / rates.bytesPerSecond,
      functions / rates.functionsPerSecond,
    );
    return rates.secondsPerNode + longest;
  });
  return { seconds: sum(seconds), flops: sum(work.map(({ flops }) => flops)), rates };
}
