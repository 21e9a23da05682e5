import { basename, join } from 'node:path';
import { lossBetween } from '../experiment/shown-metrics';
import { metricValue } from '../experiment/metrics';
import { version } from '../../package.json';
import { writeAtomic } from '../files/atomic';
import { runPaths, stepName } from '../runs/layout';
import { AuroraError } from '../base/errors';
import { errorText } from '../base/number-text';
import { isNonlinear } from '../experiment/methods';
import {
  isStaticForm,
  type ExportForm,
  type ExportLine,
  type ExportMetrics,
  type ExportRecord,
  type MetricDrop,
  type Written,
} from '../protocol/export';
import { hasNote } from '../protocol/inputs-words';
import { baseModel } from '../peft/base-model';
import { taskInForm } from '../training/loop/adapter-form';
import { openTrained, type At, type Trained } from '../training/checkpoint/trained-run';
import { workFolder } from '../training/process/leftovers';
import { modelCard } from './card';
import { RECORD, StagedFolder } from './staged-folder';
import { FORMS } from './export-forms';
import { largestDifference, measureTask, requireMetrics, type Measured } from '../training/measure';

export interface ExportRequest {
  run: string;
  at: At;
  form: ExportForm;
  /** The folder to create; by default, one inside the run. */
  out?: string;
  /** Points that a static form may lose without confirmation. */
  maxDrop: number;
  emit: (line: ExportLine) => void | Promise<void>;
  /** For `onnx-merged`: quantized weights are quantized again, rather than in float32. */
  requantize?: boolean;
  /** Decides whether to keep a form that loses more. */
  accept: (drop: MetricDrop, metrics: ExportMetrics) => Promise<boolean>;
}

/** The files match the models that they represent up to float32 rounding, which accumulates over a model's layers. */
const TOLERANCE = 1e-4;

/** Default location of exports. */
const exportFolder = (run: string, form: ExportForm, step: number): string =>
  join(runPaths(run).exports, `${form}-${stepName(step)}`);

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
    const trained = await openTrained(run, request.at, work);
    staged = new StagedFolder(request.out ?? exportFolder(run, form, trained.step));
    const written =
      FORMS[form].write(trained, staged.path, work, { requantize: request.requantize ?? false }) ?? {};
    const measured = await measureForms(trained, form, staged.path, work, emit, written);
    const { metrics, difference } = measured;
    const { metric } = trained.task.spec.training;
    const [before, after] = [metrics[trained.form], metrics.exported].map((m) => metricValue(m, metric));
    const drop = { metric, loss: lossBetween(metric, before, after) };
    if (isStaticForm(form) && drop.loss > request.maxDrop && !(await request.accept(drop, metrics)))
      return undefined;
    const record: ExportRecord = {
      program: 'aurora-lab',
      version,
      form,
      run: basename(run),
      experiment: trained.run.spec.name,
      step: trained.step,
      trainedForm: trained.form,
      labels: trained.labels,
      metrics,
      drop,
      largestDifference: difference,
      ...written,
      ...(hasNote(trained.inputs) && { inputs: trained.inputs }),
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

async function measureForms(
  trained: Trained,
  form: ExportForm,
  folder: string,
  work: string,
  emit: ExportRequest['emit'],
  { rounding, requantized }: Written,
): Promise<{ metrics: ExportMetrics; difference: number }> {
  const { task, parameters } = trained;
  const examples = task.data.validation.dataset.examples.length;
  const measureForm = async (what: 'dynamic' | 'static') => {
    await emit({ kind: 'measuring', what, examples });
    return measureTask(taskInForm(task, what), parameters, join(work, what));
  };
  const dynamic = await measureForm('dynamic');
  const linear = !isNonlinear(task.spec.adapter);
  const fixed = linear ? dynamic : await measureForm('static');
  await emit({ kind: 'measuring', what: 'exported', examples });
  const exported = await FORMS[form].measure(trained, folder, join(work, 'exported'));
  const wanted: Measured = isStaticForm(form) || trained.form === 'static' ? fixed : dynamic;
  const metricsOf = (measured: Measured) => requireMetrics(measured, trained.run.folder, trained.step);
  metricsOf(wanted);
  const difference = largestDifference(exported, wanted);
  const largest = wanted.logits.reduce(
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
  return {
    metrics: { dynamic: metricsOf(dynamic), static: metricsOf(fixed), exported: metricsOf(exported) },
    difference,
  };
}
