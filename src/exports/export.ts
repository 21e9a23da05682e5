import { basename, join } from 'node:path';
import { lossBetween } from '../experiment/shown-metrics';
import { own } from '../base/names';
import { type MetricName, type Metrics, metricsIn, metricValue } from '../experiment/metrics';
import { version } from '../../package.json';
import { writeAtomic } from '../files/atomic';
import { runPaths, stepName } from '../runs/layout';
import { AuroraError } from '../base/errors';
import { errorText } from '../base/number-text';
import {
  isMergedForm,
  type ExportForm,
  type ExportLine,
  type ExportLoss,
  type ExportMetrics,
  type ExportRecord,
  type GgufPrecision,
  type MergeChoice,
  type Written,
} from '../protocol/export';
import { hasNote } from '../protocol/inputs-words';
import type { PairedRise } from '../protocol/nonlinearity';
import { baseModel } from '../peft/base-model';
import { openTrained, type At, type Trained } from '../training/checkpoint/trained-run';
import { workFolder } from '../training/process/leftovers';
import { modelCard } from './card';
import { exportModels, type ExportModels, mergeIn, type ModelChoice } from './export-models';
import { RECORD, StagedFolder } from './staged-folder';
import { FORMS } from './export-forms';
import { type RefineSettings, requireRefinable, withRefined } from './refined-model';
import { limitsInVllm } from './vllm-facts';
import { exampleLosses, lossRise } from '../training/paired-loss';
import {
  largestDifference,
  measureTask,
  requireMetrics,
  type Measured,
  withoutWriting,
} from '../training/measure';

export interface ExportRequest {
  run: string;
  at: At;
  form: ExportForm;
  /** The folder to create; by default, one inside the run. */
  out?: string;
  /** The replacement of AuroRA's σ in a merged form; its linear fit by default. */
  merge?: MergeChoice;
  /** Trains the linear fit further. */
  refine?: RefineSettings;
  /** Points or percent that a merged form may lose without confirmation. */
  maxDrop: number;
  emit: (line: ExportLine) => void | Promise<void>;
  /** For `onnx-merged`: quantized weights are quantized again, rather than in float32. */
  requantize?: boolean;
  /** For `gguf`: the type of large tensors; float16 by default. */
  precision?: GgufPrecision;
  /** Decides whether to keep a form that loses more. */
  accept: (loss: ExportLoss) => Promise<boolean>;
}

/** The files match the models that they represent up to float32 rounding, which accumulates over a model's layers. */
const TOLERANCE = 1e-4;

/** Default location of exports. */
function exportFolder(trained: Trained, choice: ModelChoice, isRefined: boolean): string {
  const { run, step } = trained;
  const how = isRefined ? '-refined' : mergeIn(trained, choice) === 'paper' ? '-paper' : '';
  return join(runPaths(run.folder).exports, `${choice.form}${how}-${stepName(step)}`);
}

/**
 * Writes a run's adapter in a form, runs the written files on the validation set, and moves them into place once
 * complete, with a model card.
 *
 * @returns undefined if it would lose too much and that was not accepted; nothing is left behind
 */
export async function exportRun(
  request: ExportRequest,
): Promise<{ folder: string; record: ExportRecord } | undefined> {
  const { run, form, emit } = request;
  const { path: work, remove } = workFolder(run, 'export');
  let staged: StagedFolder | undefined;
  try {
    await emit({ kind: 'preparing' });
    const { refine } = request;
    const trained = await openTrained(run, request.at, work, refine && ((kind) => kind.load));
    FORMS[form].check?.(trained);
    const choice: ModelChoice = { form, merge: request.merge ?? 'fitted' };
    if (refine) await requireRefinable(trained, choice);
    staged = new StagedFolder(request.out ?? exportFolder(trained, choice, refine !== undefined));
    const available = await exportModels(trained, choice, emit);
    const models = refine ? await withRefined(available, refine, work, emit) : available;
    const { merge, fit, refinement } = models;
    const limits = limitsInVllm(form, models.written.load().task);
    if (limits) await emit({ kind: 'limits', limits });
    const written =
      FORMS[form].write(models.written.load(), staged.path, work, {
        requantize: request.requantize ?? false,
        precision: request.precision ?? 'float16',
      }) ?? {};
    const { metrics, lossRise, difference } = await measureModels(
      models,
      request,
      staged.path,
      work,
      written,
    );
    const metric = judgedBy(trained.task.spec.training.metric, metrics.trained);
    const [before, after] = [metrics.trained, metrics.exported].map((m) => metricValue(m, metric));
    const drop = { metric, loss: lossBetween(metric, before, after) };
    const loss: ExportLoss = { drop, limit: request.maxDrop, metrics, merge, refinement };
    if (isMergedForm(form) && drop.loss > loss.limit && !(await request.accept(loss))) return undefined;
    const record: ExportRecord = {
      program: 'aurora-lab',
      version,
      form,
      run: basename(run),
      experiment: trained.run.spec.name,
      step: trained.step,
      trainedForm: trained.form,
      labels: trained.labels,
      ...(merge && { merge }),
      ...(fit && { fit }),
      ...(refinement && { refinement }),
      metrics,
      drop,
      ...(lossRise && { lossRise }),
      largestDifference: difference,
      ...written,
      ...(hasNote(trained.inputs) && { inputs: trained.inputs }),
      ...(limits && { vllm: limits }),
      files: {},
    };
    const base = baseModel(trained.task.spec.model.path);
    writeAtomic(join(staged.path, 'README.md'), modelCard(trained, record, base));
    record.files = staged.sums();
    writeAtomic(join(staged.path, RECORD), `${JSON.stringify(record, null, 2)}\n`);
    staged.commit();
    return { folder: staged.target, record };
  } finally {
    staged?.discard();
    remove();
  }
}

/**
 * The metric by which forms are compared: that of training or, if it is of written answers, the first of the others.
 * Answers are not written for each form.
 */
const judgedBy = (metric: MetricName, measured: Metrics): MetricName =>
  own(measured, metric) === undefined ? (metricsIn(measured).find((m) => m !== 'loss') ?? 'loss') : metric;

/** Without answers that are written apart from everything that is compared, which takes long. */
const compared = (trained: Trained): Trained =>
  trained.task.kind.compared?.apart ? { ...trained, task: withoutWriting(trained.task) } : trained;

async function measureModels(
  { models, written }: ExportModels,
  { form, emit }: ExportRequest,
  folder: string,
  work: string,
  { rounding, requantized }: Written,
): Promise<{ metrics: ExportMetrics; lossRise?: PairedRise; difference: number }> {
  const rows: Partial<ExportMetrics> = {};
  let trainedLosses: Float64Array | undefined;
  let wanted: Measured | undefined;
  const { task, run, step } = compared(written.load());
  const examples = task.data.validation.dataset.examples.length;
  for (const model of models) {
    const { row, load } = model;
    await emit({ kind: 'measuring', what: row, examples });
    const { task, parameters } = compared(load());
    const measured = await measureTask(task, parameters, join(work, row));
    rows[row] = requireMetrics(measured, run.folder, step);
    if (row === 'trained') trainedLosses = exampleLosses(task, measured);
    if (model === written) wanted = measured;
  }
  await emit({ kind: 'measuring', what: 'exported', examples });
  const exported = await FORMS[form].measure(compared(written.load()), folder, join(work, 'exported'));
  const difference = largestDifference(exported, wanted!);
  const largest = wanted!.logits.reduce(
    (most, values) => values.reduce((a, b) => Math.max(a, Math.abs(b)), most),
    1,
  );
  // Rounded weights give other logits; the cost is measured, and confirmed like other losses.
  if (!rounding && !requantized && !(difference <= TOLERANCE * largest))
    throw new AuroraError(
      'failed',
      `The exported files do not reproduce the results of the run: their logits differ by ${errorText(difference)}.`,
      'Please report this bug in AuroRA Lab or in the runtime. The exported files were removed.',
    );
  const metrics = { ...rows, exported: requireMetrics(exported, run.folder, step) } as ExportMetrics;
  const isTrained = written.row === 'trained';
  return {
    metrics,
    ...(!isTrained && { lossRise: lossRise(trainedLosses!, exampleLosses(task, wanted!)) }),
    difference,
  };
}
