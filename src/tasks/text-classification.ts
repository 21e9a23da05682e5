import { AuroraError } from '../base/errors';
import { makeBatch } from '../data/batch';
import type { Experiment } from '../experiment/experiment';
import { DType } from '../graph/dtype';
import type { TensorInfo } from '../graph/infos';
import { ConfusionMatrix } from './confusion';
import { HEAD_BIAS, HEAD_WEIGHT } from './head';
import type { TaskKind } from './kind';
import { LABELS } from './program';
import { argmax } from './softmax';
import { loadData, loadValidation, modelInputs } from './text-data';

/** One label for each text: a linear head on pooled states, or the model's own logits; cross-entropy. */
export const textClassification: TaskKind = {
  objective: 'cross-entropy',
  load: loadData,
  loadValidation,
  head: ({ task }, labels) =>
    task.head === 'linear'
      ? { pooling: task.pooling, classes: labels.length, weight: HEAD_WEIGHT, bias: HEAD_BIAS }
      : undefined,
  checkOutput: (spec, name, info, labels) => checkOutput(spec, name, info, labels.length),
  feeds(model, dataset, indices, length) {
    const { inputs, labels } = makeBatch(dataset, indices, modelInputs(model), length);
    return { ...inputs, [LABELS]: labels };
  },
  scorer(labels) {
    const matrix = new ConfusionMatrix(labels.length);
    return {
      add: ({ label }, logits) => matrix.add(label, argmax(logits)),
      metrics: () => ({
        accuracy: matrix.accuracy(),
        f1: matrix.f1(),
        matthews: matrix.matthews(),
        examples: matrix.examples,
      }),
    };
  },
};

function checkOutput(spec: Experiment, name: string, info: TensorInfo, classes: number): void {
  const shape = `[${info.shape.join(', ')}]`;
  if (info.dtype !== DType.float)
    throw new AuroraError(
      'model',
      `${spec.model.path}: the output ${name} is not float32.`,
      'Export the model in float32.',
    );
  const last = info.shape.at(-1);
  if (spec.task.head === 'linear') {
    if (info.shape.length < 2 || info.shape.length > 3 || typeof last !== 'number')
      throw new AuroraError(
        'model',
        `${spec.model.path}: the output ${name} has the shape ${shape}; a head needs [batch, sequence, hidden] or [batch, hidden].`,
        'Name another output in model.output, or use task.head "none" for a model with its own logits.',
      );
  } else if (info.shape.length !== 2 || last !== classes)
    throw new AuroraError(
      'model',
      `${spec.model.path}: the output ${name} has the shape ${shape}, but the data has ${classes} labels.`,
      'Use task.head "linear" to train a new head, or name the output with the logits in model.output.',
    );
}
