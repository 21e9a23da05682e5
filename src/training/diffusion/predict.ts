import type { Evaluator, Parameters } from '../../engine/stepper';
import { DType } from '../../graph/dtype';
import { LABELS } from '../../tasks/task-graph';
import type { Predict } from './sampler';

/** The prediction of a task's graph, whose loss is computed against zeros and not read. */
export const evaluatorPredict =
  (evaluator: Evaluator, parameters: Parameters): Predict =>
  async (inputs) => {
    const { dims, data } = inputs.sample!;
    const labels = { dtype: DType.float, dims, data: new Float32Array(data.length) };
    const { logits } = await evaluator.evaluate({ ...inputs, [LABELS]: labels }, parameters);
    return logits.data as Float32Array;
  };
