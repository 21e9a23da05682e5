import { namedAdapters } from '../../../adapters/stored-tensors';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { layerChange, mergeAdapters } from '../../../adapters/merge';
import { lorafaOptimizer } from '../../../adapters/methods/lorafa';
import type { Course, NamedAdapter } from '../../../adapters/methods/method';
import { methodOf } from '../../../adapters/methods/registry';
import { inForm, type LayerAdapter, selectAdapters } from '../../../adapters/targets/select';
import { declaredOutputs, taskOutput } from '../../../adapters/task-output';
import { loadModelFrom } from '../../../architectures/load';
import { modelSource } from '../../../architectures/model-source';
import { loadTextEncoder, loadWithTextEncoders } from '../../../architectures/pipeline';
import { AuroraError } from '../../../base/errors';
import { nameTable, own } from '../../../base/names';
import { probe } from '../../../engine/onnxruntime/probe';
import { openEvaluator, openTask } from '../../../engine/open-task';
import { CPU } from '../../../engine/place';
import type { Stepper, TaskOptions } from '../../../engine/stepper';
import type { LoraSpec } from '../../../experiment/methods';
import { temporaryFolderFor } from '../../../files/system-temporary';
import { findLinearLayers } from '../../../graph/layers/linear';
import type { Model } from '../../../graph/model';
import { prepareModel } from '../../../graph/prepare';
import type { HostTensor, HostTensors } from '../../../graph/tensor-infos';
import { tensorOf, tensorValues } from '../../../graph/values';
import { IGNORE_LABEL, OBJECTIVES } from '../../../tasks/objective';
import { LABELS, type TaskGraphSpec } from '../../../tasks/task-graph';
import { optimize } from '../../../training/loop/loop';
import { AdamW, copyOf } from '../../../training/optimizer/optimizer';
import { adapterSpec, type CaseSubject, type DenseArray, type ReferenceCase, type StepFields } from './case';
import { checkFields, Comparison, largest } from './compare-arrays';
import { isOfPeft, peftSubject } from './peft-case';
import { caseTolerances, HOST, type Tolerances } from './tolerance';

const relative = (e: number) => Math.abs(e) || 1e-12;
const aboveOne = (e: number) => Math.max(1, Math.abs(e));

/** Runs one reference case through the real pipeline and compares every field. */
export async function runModelCase(
  modelPath: string,
  given: ReferenceCase,
  options: TaskOptions = {},
): Promise<Comparison> {
  const place = options.place ?? CPU;
  const tolerances = caseTolerances(place, given.tolerance, modelPath);
  const report = new Comparison();
  const loaded = caseModel(modelPath, given);
  // Inputs for a key/value cache, which the case does not have, are constants of the prepared model.
  const prepared = prepareModel(loaded);
  if (!checkFields(report, given, prepared.graph)) return report;
  const {
    model,
    case: c,
    task,
    parameters,
  } = isOfPeft(given) ? peftSubject(report, given, modelPath, loaded) : ownSubject(report, given, prepared);
  const examples = [c, ...c.otherShapes].map((f) => shapesOf(f.inputs));
  const infos = await probe(model, undefined, examples);
  const folder = temporaryFolderFor('reference');
  try {
    const { stepper, trainable } = await openTask(model, infos, task, join(folder, 'step'), options);
    const names = trainable.map((t) => t.name);
    report.names('trainable', names, Object.keys(c.trainable));
    const course = courseOf(task.adapters, c);
    const initial = copyOf(parameters);
    course?.begin?.(parameters);
    await compareStep(report, model, stepper, c, parameters, tolerances, '');
    const first = await stepper.evaluate(caseFeeds(model, c, c), parameters);
    report.tensor('logits', 'logits', numbers(first.logits.data), c.logits, tolerances.logits);
    compareChanges(report, task.adapters, parameters, c);
    const { objective, trainingLoss, taskLoss } = c;
    // The penalty depends on the values alone, not on the batch.
    const penalty = taskLoss === undefined ? 0 : c.loss - taskLoss;
    for (const [i, other] of c.otherShapes.entries())
      await compareStep(
        report,
        model,
        stepper,
        { ...other, objective, trainingLoss, ...(penalty && { taskLoss: other.loss - penalty }) },
        parameters,
        tolerances,
        `otherShapes[${i}].`,
      );

    const merged = async (field: string, expected: DenseArray | undefined) => {
      const graph = mergeAdapters(model, task.adapters, parameters);
      const evaluator = await openEvaluator(graph, infos, { ...task, adapters: [] }, join(folder, field), {
        place,
      });
      const { logits } = await evaluator.evaluate(caseFeeds(model, c, c), parameters);
      report.tensor('mergedLogits', field, numbers(logits.data), expected, tolerances.mergedLogits);
      await evaluator.dispose();
    };
    if (c.mergedLogits) await merged('mergedLogits', c.mergedLogits);

    await train(report, model, stepper, c, { parameters, names, course }, tolerances);
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
    for (const [name, values] of Object.entries(c.trained ?? {}))
      report.tensor('trained', `trained.${name}`, parameters.get(name), values, tolerances.trainedNorms);
    const { logits, mergedLogits } = c.afterTraining ?? {};
    if (logits) {
      const after = await stepper.evaluate(caseFeeds(model, c, c), parameters);
      // With the tolerance of the other logits after the same steps.
      report.tensor(
        'logits',
        'afterTraining.logits',
        numbers(after.logits.data),
        logits,
        tolerances.mergedLogits,
      );
    }
    if (c.loraFaOptimizer) await trainWithLorafa(report, model, stepper, c, task, initial, names, tolerances);
    await stepper.dispose();
    if (c.mergeRefused === undefined) await merged('afterTraining.mergedLogits', mergedLogits);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return report;
}

/** A case that has our names already. */
function ownSubject(report: Comparison, c: ReferenceCase, model: Model): CaseSubject {
  const task = caseTask(model, c);
  const paths = task.adapters.map((a) => a.layer.path);
  report.names('modules', paths, c.modules);
  return { case: c, model, task, parameters: caseParameters(c) };
}

/** The method's course, over as many steps as the case's settings or its curve state. */
function courseOf(adapters: readonly LayerAdapter[], { hyper, adamw }: ReferenceCase): Course | undefined {
  const steps = Number(hyper.total_step ?? adamw.lossBeforeEachStep.length);
  const { course } = adapters.length > 0 ? methodOf(adapters[0].spec) : {};
  return course?.(namedAdapters(adapters), steps);
}

type Task = Pick<ReferenceCase, 'objective' | 'trainingLoss' | 'taskLoss'>;

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
    fields.trainingLoss ? fields.evaluationLoss : (fields.taskLoss ?? fields.loss),
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

interface Trained {
  parameters: Map<string, Float32Array>;
  /** Those that are trained. */
  names: string[];
  course?: Course;
}

async function train(
  report: Comparison,
  model: Model,
  stepper: Stepper,
  c: ReferenceCase,
  { parameters, names, course }: Trained,
  { curve, trainedNorms }: Tolerances,
): Promise<void> {
  const { lr, betas, eps, weightDecay, lossBeforeEachStep, finalLoss, afterEachStep } = c.adamw;
  const optimizer = new AdamW([{ names, lr, weightDecay }], { betas, epsilon: eps, form: course?.adamw });
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
    optimize(i + 1, step.gradients, 1, { parameters, optimizer, course });
    for (const [name, data] of Object.entries(afterEachStep?.[i]?.E ?? {})) {
      const field = `adamw.afterEachStep[${i}].E.${name}`;
      report.tensor('trained', field, parameters.get(name), { dims: [data.length], data }, trainedNorms);
    }
  }
  if (lossBeforeEachStep.length === 0) report.fail('curve', 'adamw.lossBeforeEachStep', 'empty in the file');
  // Only a step's loss has a penalty.
  const after =
    c.taskLoss === undefined
      ? await stepper.evaluate(inputs, parameters)
      : await stepper.step(inputs, parameters, 1 / weight);
  report.number('finalLoss', 'adamw.finalLoss', after.lossSum / after.count, finalLoss, curve, aboveOne);
}

/** LoRA-FA's own optimizer in the case's training. */
async function trainWithLorafa(
  report: Comparison,
  model: Model,
  stepper: Stepper,
  c: ReferenceCase,
  { adapters }: TaskGraphSpec,
  parameters: Map<string, Float32Array>,
  names: string[],
  tolerances: Tolerances,
): Promise<void> {
  const { trained, logits, ...adamw } = c.loraFaOptimizer!;
  const course = lorafaOptimizer(namedAdapters(adapters) as NamedAdapter<LoraSpec>[]);
  await train(report, model, stepper, { ...c, adamw }, { parameters, names, course }, tolerances);
  for (const name of names)
    report.tensor(
      'trained',
      `loraFaOptimizer.trained.${name}`,
      parameters.get(name),
      own(trained, name),
      tolerances.trainedNorms,
    );
  const after = await stepper.evaluate(caseFeeds(model, c, c), parameters);
  const field = 'loraFaOptimizer.logits';
  report.tensor('logits', field, numbers(after.logits.data), logits, tolerances.mergedLogits);
}

/** The merged changes. PEFT's files may have those of some modules only. */
function compareChanges(
  report: Comparison,
  adapters: readonly LayerAdapter[],
  parameters: ReadonlyMap<string, Float32Array>,
  c: ReferenceCase,
): void {
  const { mergedDelta, mergedBiasDelta = {}, mergeRefused } = c;
  if (mergeRefused !== undefined) return requireRefused(report, adapters, parameters);
  const expected = Object.keys(mergedDelta ?? {});
  const some = isOfPeft(c) ? adapters.filter((a) => expected.includes(a.layer.path)) : adapters;
  const biased: string[] = [];
  const paths = some.map((a) => a.layer.path);
  if (expected.length === 0) report.fail('mergedDelta', 'mergedDelta', 'missing in the file');
  report.names('mergedDelta', paths, expected);
  for (const adapter of some) {
    const { path } = adapter.layer;
    const { weight, bias } = layerChange(adapter, parameters);
    const compare = (name: string, actual: ArrayLike<number>, all: Record<string, DenseArray>) =>
      report.tensor('mergedDelta', `${name}.${path}`, actual, own(all, path), HOST.mergedDelta);
    // If a method changes only the bias, that change is in the place of the weight's.
    compare('mergedDelta', inFile(adapter, (weight ?? bias)!), mergedDelta ?? {});
    if (!weight || !bias) continue;
    biased.push(path);
    compare('mergedBiasDelta', bias, mergedBiasDelta);
  }
  report.names('mergedBiasDelta', biased, Object.keys(mergedBiasDelta));
}

/** The file has an embedding's change as its table is, (vocabulary, hidden). */
function inFile({ layer }: LayerAdapter, change: ArrayLike<number>): ArrayLike<number> {
  const { isEmbedding, inFeatures, outFeatures } = layer;
  if (!isEmbedding) return change;
  return Float64Array.from(
    { length: change.length },
    (_, i) => change[(i % outFeatures) * inFeatures + Math.floor(i / outFeatures)],
  );
}

/** A method that PEFT cannot merge is refused here too. */
function requireRefused(
  report: Comparison,
  adapters: readonly LayerAdapter[],
  parameters: ReadonlyMap<string, Float32Array>,
): void {
  try {
    layerChange(adapters[0], parameters);
    report.fail('mergedDelta', 'mergeRefused', 'merged all the same');
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
  }
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
