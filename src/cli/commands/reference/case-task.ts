import { inForm, selectAdapters } from '../../../adapters/targets/select';
import { declaredOutputs, taskOutput } from '../../../adapters/task-output';
import type { HostTensor, HostTensors } from '../../../engine/stepper';
import { IGNORE_LABEL, OBJECTIVES } from '../../../tasks/objective';
import { LABELS, type TaskGraphSpec } from '../../../tasks/task-graph';
import { findLinearLayers } from '../../../graph/layers/linear';
import type { Model } from '../../../graph/model';
import { tensorOf, tensorValues } from '../../../graph/values';
import { adapterSpec, type DenseArray, type ReferenceCase, type StepFields } from './case';
import { nameTable, own } from '../../../base/names';

/** The task that a reference file trains on its model. */
export function caseTask(model: Model, c: ReferenceCase): TaskGraphSpec {
  const output =
    predicted(model, c) ??
    taskOutput(declaredOutputs(model.graph), { output: undefined, head: Boolean(c.head) });
  const { adapters: found } = selectAdapters(
    model.graph,
    findLinearLayers(model.graph),
    adapterSpec(c),
    output,
  );
  const adapters = c.hyper.form === 'static' ? inForm(found, 'static') : found;
  const head = c.head ? { ...c.head, classes: c.trainable[c.head.weight].dims[0] } : undefined;
  const { objective, trainingLoss } = c;
  return { objective, head, output, adapters, trainingLoss };
}

/** The output of a model with several that a target is for: one with as many axes. */
const predicted = ({ graph }: Model, { objective, head, labels }: ReferenceCase): string | undefined =>
  objective === 'noise-mse' && !head
    ? ['out_sample', 'last_hidden_state', 'text_embeds'].find((name) =>
        graph.outputs.some((o) => o.name === name && o.shape?.length === labels.dims.length),
      )
    : undefined;

/** A batch of the case, with its labels. */
export function caseFeeds(
  model: Model,
  { objective }: Pick<ReferenceCase, 'objective'>,
  { inputs, labels }: Pick<StepFields, 'inputs' | 'labels'>,
): HostTensors {
  const out: HostTensors = nameTable();
  for (const { name, dtype } of model.graph.inputs) {
    const input = own(inputs, name);
    if (input) out[name] = host(input, dtype);
  }
  out[LABELS] = host(labels, OBJECTIVES[objective].labels.dtype);
  return out;
}

/** The weight of these labels in a step: their number, or the weights of their classes. */
export function caseWeight(
  { trainingLoss }: Pick<ReferenceCase, 'trainingLoss'>,
  { data }: DenseArray,
  count: number,
): number {
  const weights = trainingLoss?.classWeights;
  if (!weights) return count;
  return data.reduce((sum, label) => sum + (label === IGNORE_LABEL ? 0 : weights[label]), 0);
}

/** The case's initial trainable values. */
export const caseParameters = (c: ReferenceCase): Map<string, Float32Array> =>
  new Map(Object.entries(c.trainable).map(([name, a]) => [name, Float32Array.from(a.data)]));

export const shapesOf = (inputs: Record<string, DenseArray>): Record<string, number[]> =>
  Object.fromEntries(Object.entries(inputs).map(([name, a]) => [name, a.dims]));

const host = ({ dims, data }: DenseArray, dtype: number): HostTensor => ({
  dtype,
  dims,
  data: tensorValues(tensorOf('', dtype, dims, data)),
});
