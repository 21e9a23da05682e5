import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolderFor } from '../../../files/system-temporary';
import { layerChange, mergeAdapters } from '../../../adapters/merge';
import type { LayerAdapter } from '../../../adapters/targets/select';
import { openEvaluator, openTask } from '../../../engine/open';
import { CPU } from '../../../engine/place';
import { probe } from '../../../engine/onnxruntime/probe';
import type { Stepper, TaskOptions } from '../../../engine/stepper';
import type { Model } from '../../../graph/model';
import { prepareModel } from '../../../graph/prepare';
import { AdamW } from '../../../training/optimizer/optimizer';
import type { ReferenceCase, StepFields } from './case';
import { caseModel } from './case-model';
import { caseFeeds, caseTask, caseWeight, shapesOf } from './case-task';
import { Comparison, largest } from './compare';
import { checkFields } from './fields';
import { HOST, tolerancesOf, type Tolerances } from './tolerance';
import { own } from '../../../base/names';

const relative = (e: number) => Math.abs(e) || 1e-12;
const aboveOne = (e: number) => Math.max(1, Math.abs(e));

/** Runs one reference case through the real pipeline and compares every field. */
export async function runModelCase(
  modelPath: string,
  c: ReferenceCase,
  options: TaskOptions = {},
): Promise<Comparison> {
  const place = options.place ?? CPU;
  const tolerances = tolerancesOf(place);
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
    for (const a of adapters)
      report.tensor(
        'mergedDelta',
        `mergedDelta.${a.layer.path}`,
        changeOf(a, parameters),
        own(c.mergedDelta ?? {}, a.layer.path),
        HOST.mergedDelta,
      );
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

/** ΔW, or Δb for a method that changes only the bias. */
function changeOf(adapter: LayerAdapter, parameters: ReadonlyMap<string, Float32Array>): ArrayLike<number> {
  const { weight, bias } = layerChange(adapter, parameters);
  return (weight ?? bias)!;
}

const numbers = (data: ArrayLike<number | bigint>): Float64Array =>
  Float64Array.from(data as ArrayLike<number>);

const norm = (v: Float32Array): number => Math.sqrt(v.reduce((s, x) => s + x * x, 0));
