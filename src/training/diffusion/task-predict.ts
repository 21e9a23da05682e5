import type { Evaluator, Parameters } from '../../engine/stepper';
import type { HostTensor, HostTensors } from '../../graph/tensor-infos';
import { elementCount } from '../../graph/model';
import type { MicroBatches } from '../micro-batch/micro-batches';
import { isOutOfMemory } from '../micro-batch/out-of-memory';
import { evaluatorPredict, type Predict } from './sampler';

/**
 * The predictions of a model in training, in the session that its evaluations use. All rows at once if they fit into
 * memory.
 */
export function taskPredict(evaluator: Evaluator, micro: MicroBatches, parameters: Parameters): Predict {
  const evaluate = evaluatorPredict(evaluator, parameters);
  return async (inputs) => {
    const { dims } = inputs.sample!;
    const rows = dims[0]!;
    if (micro.size('evaluation', 1) >= rows)
      try {
        return await evaluate(inputs);
      } catch (e) {
        if (rows === 1 || !isOutOfMemory(e)) throw e;
        micro.restrict('evaluation', 1);
      }
    const size = elementCount(dims.slice(1));
    const all = new Float32Array(rows * size);
    for (let row = 0; row < rows; row++) all.set(await evaluate(rowOf(inputs, row)), row * size);
    return all;
  };
}

/** A batch of one. */
const rowOf = (inputs: HostTensors, row: number): HostTensors =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, dims, data }]): [string, HostTensor] => {
      const size = data.length / dims[0]!;
      return [name, { dtype, dims: [1, ...dims.slice(1)], data: data.slice(row * size, (row + 1) * size) }];
    }),
  );
