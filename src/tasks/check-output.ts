import { AuroraError } from '../base/errors';
import type { Experiment } from '../experiment/experiment';
import { DType } from '../graph/dtype';
import type { TensorInfo } from '../graph/tensor-infos';

/** The model's own output that a task can use without a head: these axes, and then one number per output. */
export interface OwnOutput {
  axes: readonly ('batch' | 'sequence')[];
  /** Any number if omitted. */
  outputs?: number;
}

/** @throws AuroraError 'model' if neither a new head nor the loss can read the output */
export function checkOutput(
  spec: Experiment,
  name: string,
  { dtype, shape }: TensorInfo,
  { axes, outputs }: OwnOutput,
): void {
  const { path } = spec.model;
  const found = `${path}: the output ${name} has the shape [${shape.join(', ')}]`;
  if (dtype !== DType.float)
    throw new AuroraError(
      'model',
      `${path}: the output ${name} is not float32.`,
      'Export the model in float32.',
    );
  const last = shape.at(-1);
  const perToken = axes.includes('sequence');
  if (spec.task.head === 'linear') {
    const ranks = perToken ? [3] : [2, 3];
    if (!ranks.includes(shape.length) || typeof last !== 'number')
      throw new AuroraError(
        'model',
        `${found}; a head needs [batch, sequence, hidden]${perToken ? '' : ' or [batch, hidden]'}.`,
        'Name another output in model.output, or use task.head "none" for a model with its own logits.',
      );
  } else if (shape.length !== axes.length + 1 || (outputs !== undefined && last !== outputs))
    throw new AuroraError(
      'model',
      shape.length === axes.length + 1
        ? `${found}, but the data has ${outputs} labels.`
        : `${found}, but the task needs [${axes.join(', ')}, ${outputs ?? 'vocabulary'}].`,
      'Use task.head "linear" to train a new head, or name the output with the logits in model.output.',
    );
}
