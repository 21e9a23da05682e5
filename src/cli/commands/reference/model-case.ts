import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { layerChange, mergeAdapters } from '../../../adapters/merge';
import { inForm, type LayerAdapter, selectAdapters } from '../../../adapters/targets/select';
import { declaredOutputs, taskOutput } from '../../../adapters/task-output';
import { loadModelFrom } from '../../../architectures/load';
import { modelSource } from '../../../architectures/model-source';
import { loadTextEncoder, loadWithTextEncoders } from '../../../architectures/pipeline';
import { nameTable, own } from '../../../base/names';
import { probe } from '../../../engine/onnxruntime/probe';
import { openEvaluator, openTask } from '../../../engine/open-task';
import { CPU } from '../../../engine/place';
import type { Stepper, TaskOptions } from '../../../engine/stepper';
import { temporaryFolderFor } from '../../../files/system-temporary';
import { findLinearLayers } from '../../../graph/layers/linear';
import type { Model } from '../../../graph/model';
import { prepareModel } from '../../../graph/prepare';
import type { HostTensor, HostTensors } from '../../../graph/tensor-infos';
import { tensorOf, tensorValues } from '../../../graph/values';
import { IGNORE_LABEL, OBJECTIVES } from '../../../tasks/objective';
import { LABELS, type TaskGraphSpec } from '../../../tasks/task-graph';
import { AdamW } from '../../../training/optimizer/optimizer';
import { adapterSpec, type DenseArray, type ReferenceCase, type StepFields } from './case';
import { checkFields, Comparison, largest } from './compare-arrays';
import { caseTolerances, HOST, type Tolerances } from './tolerance';

const relative = (e: number) => Math.abs(e) || 1e-12;
const aboveOne = (e: number) => Math.max(1, Math.abs(e));

/** Runs one reference case through the real pipeline and compares every field. */
export async function runModelCase(
  modelPath: string,
  c: ReferenceCase,
  options: TaskOptions = {},
): Promise<Comparison> {
  const place = options.place ?? CPU;
  const tolerances = caseTolerances(place, c.tolerance, modelPath);
  const report = new Comparison();
  const model = prepareModel(caseModel(modelPath, c));
  if (!checkFields(report, c, model.graph)) return report;
  const examples = [c, ...c.otherShapes].map((f) => shapesOf(f.inputs));
  const infos = await probe(model, undefined, examples);
  const spec = caseTask(model, c);
  const { adapters } = spec;
  report.names(
    'modules',
    adapters.map((a) => a.layer.path),
    c.modules,
  );
  const folder = temporaryFolderFor('reference');
  try {
    const { stepper, trainable } = await openTask(model, infos, spec, join(folder, 'step'), options);
    const names = trainable.map((t) => t.name);
    report.names('trainable', names, Object.keys(c.trainable));
    const parameters = new Map(names.map((n) => [n, Float32Array.from(own(c.trainable, n)?.data ?? [])]));

    await compareStep(report, model, stepper, c, parameters, tolerances, '');
    const first = await stepper.evaluate(caseFeeds(model, c, c), parameters);
    report.tensor('logits', 'logits', numbers(first.logits.data), c.logits, tolerances.logits);
    report.names(
      'mergedDelta',
      adapters.map((a) => a.layer.path),
      Object.keys(c.mergedDelta ?? {}),
    );
    for (const a of adapters) compareChange(report, a, parameters, c);
    for (const [i, other] of c.otherShapes.entries())
      await compareStep(
        report,
        model,
        stepper,
        { ...other, objective: c.objective, trainingLoss: c.trainingLoss },
        parameters,
        tolerances,
        `otherShapes[${i}].`,
      );

    await train(report, model, stepper, c, parameters, tolerances);
    report.names('trainedNorms', names, Object.keys(c.trainedNorms ?? {}));
    for (const name of names)
      report.number(
        'trainedNorms',
        `trainedNorms.${name}`,
        norm(parameters.get(name)!),
        own(c.trainedNorms ?? {}, name),
        tolerances.trainedNorms,
        relative,
      );
    await stepper.dispose();

    const merged = mergeAdapters(model, adapters, parameters);
    const evaluator = await openEvaluator(merged, infos, { ...spec, adapters: [] }, join(folder, 'merged'), {
      place,
    });
    const after = await evaluator.evaluate(caseFeeds(model, c, c), parameters);
    report.tensor(
      'mergedLogits',
      'afterTraining.mergedLogits',
      numbers(after.logits.data),
      c.afterTraining?.mergedLogits,
      tolerances.mergedLogits,
    );
    await evaluator.dispose();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return report;
}

type Task = Pick<ReferenceCase, 'objective' | 'trainingLoss'>;

/** Loss and every gradient on one batch. */
async function compareStep(
  report: Comparison,
  model: Model,
  stepper: Stepper,
  fields: StepFields & Task,
  parameters: ReadonlyMap<string, Float32Array>,
  tolerances: Tolerances,
  prefix: string,
): Promise<void> {
  const inputs = caseFeeds(model, fields, fields);
  const { lossSum, count } = await stepper.evaluate(inputs, parameters);
  const step = await stepper.step(inputs, parameters, 1 / caseWeight(fields, fields.labels, count));
  report.number('loss', `${prefix}loss`, step.lossSum / step.count, fields.loss, tolerances.loss, relative);
  // The evaluation graph must agree, except about a loss that only training has.
  report.number(
    'loss',
    `${prefix}loss (evaluation)`,
    lossSum / count,
    fields.trainingLoss ? fields.evaluationLoss : fields.loss,
    tolerances.loss,
    relative,
  );
  const expected = fields.gradients ?? {};
  report.names('gradients', step.gradients.keys(), Object.keys(expected), prefix);
  const overall = Math.max(...Object.values(expected).map((g) => largest(g.data ?? [])));
  for (const [name, gradient] of step.gradients) {
    const unit = Math.max(largest(own(expected, name)?.data ?? []), overall / 1000);
    report.tensor(
      'gradients',
      `${prefix}gradients.${name}`,
      gradient,
      own(expected, name),
      tolerances.gradients,
      unit,
    );
  }
}

async function train(
  report: Comparison,
  model: Model,
  stepper: Stepper,
  c: ReferenceCase,
  parameters: Map<string, Float32Array>,
  { curve }: Tolerances,
): Promise<void> {
  const { lr, betas, eps, weightDecay, lossBeforeEachStep, finalLoss } = c.adamw;
  const optimizer = new AdamW([{ names: [...parameters.keys()], lr, weightDecay }], { betas, epsilon: eps });
  const inputs = caseFeeds(model, c, c);
  const { count } = await stepper.evaluate(inputs, parameters);
  const weight = caseWeight(c, c.labels, count);
  for (const [i, expected] of lossBeforeEachStep.entries()) {
    const step = await stepper.step(inputs, parameters, 1 / weight);
    report.number(
      'curve',
      `adamw.lossBeforeEachStep[${i}]`,
      step.lossSum / step.count,
      expected,
      curve,
      aboveOne,
    );
    optimizer.step(parameters, step.gradients, 1);
  }
  if (lossBeforeEachStep.length === 0) report.fail('curve', 'adamw.lossBeforeEachStep', 'empty in the file');
  const after = await stepper.evaluate(inputs, parameters);
  report.number('finalLoss', 'adamw.finalLoss', after.lossSum / after.count, finalLoss, curve, aboveOne);
}

/** ΔW and Δb; of a method that changes only the bias, Δb is in the place of ΔW. */
function compareChange(
  report: Comparison,
  adapter: LayerAdapter,
  parameters: ReadonlyMap<string, Float32Array>,
  { mergedDelta = {}, mergedBiasDelta = {} }: ReferenceCase,
): void {
  const { path } = adapter.layer;
  const { weight, bias } = layerChange(adapter, parameters);
  const compare = (name: string, actual: ArrayLike<number>, expected: Record<string, DenseArray>) =>
    report.tensor('mergedDelta', `${name}.${path}`, actual, own(expected, path), HOST.mergedDelta);
  compare('mergedDelta', (weight ?? bias)!, mergedDelta);
  if (weight && bias) compare('mergedBiasDelta', bias, mergedBiasDelta);
}

const numbers = (data: ArrayLike<number | bigint>): Float64Array =>
  Float64Array.from(data as ArrayLike<number>);

const norm = (v: Float32Array): number => Math.sqrt(v.reduce((s, x) => s + x * x, 0));

/**
 * The model of a case. A pipeline's text encoders belong to it if the case has their inputs; CLIP's text model without a
 * mask is that of a pipeline.
 */
export function caseModel(path: string, { inputs }: ReferenceCase): Model {
  const has = (name: string) => own(inputs ?? {}, name) !== undefined;
  const source = modelSource(path);
  if (source.kind === 'pipeline' && has('input_ids')) return loadWithTextEncoders(source);
  const model = loadModelFrom(source);
  const isText = source.kind === 'hub' && model.graph.initializers.has(CLIP_TEXT);
  return isText && has('input_ids') && !has('attention_mask') ? loadTextEncoder(source) : model;
}

const CLIP_TEXT = 'text_model.embeddings.token_embedding.weight';

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
function caseWeight(
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
