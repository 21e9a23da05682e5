import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import { headLayer, type HeadLayer } from '../../graph/task-head';
import type { Model } from '../../graph/model';
import { tensorValues } from '../../graph/values';
import { HEAD_BIAS, HEAD_WEIGHT } from '../../tasks/head';

/** @throws AuroraError 'model' if the model's folder has no head of labels */
export function requireHeadLayer(model: Model, spec: Experiment): HeadLayer {
  const found = headLayer(model);
  if (found) return found;
  throw new AuroraError(
    'model',
    `task.headWeights is "model", but ${spec.model.path} has no classification head.`,
    'Use a folder whose config.json names a class such as BertForSequenceClassification, or remove task.headWeights to train a new head.',
  );
}

/**
 * The weights of the last layer of a model's own head.
 *
 * @param labels of the data
 * @throws AuroraError 'model' if there is none, or it has another number of labels
 */
export function ownHead(
  model: Model,
  spec: Experiment,
  labels: readonly string[],
): Map<string, Float32Array> {
  const { module, bias } = requireHeadLayer(model, spec);
  const tensor = (part: string) => model.graph.initializers.get(`${module}.${part}`)!;
  const [count] = tensor('weight').dims;
  if (count !== labels.length)
    throw new AuroraError(
      'model',
      `${spec.model.path}: its head (${module}) has ${count} labels, but the data has ${labels.length}: ${labels.slice(0, 5).join(', ')}${labels.length > 5 ? ' …' : ''}.`,
      'Name the labels in the data as id2label in config.json does, or remove task.headWeights to train a new head.',
    );
  return new Map([
    [HEAD_WEIGHT, tensorValues(tensor('weight')) as Float32Array],
    [HEAD_BIAS, bias ? (tensorValues(tensor('bias')) as Float32Array) : new Float32Array(count)],
  ]);
}
