import { t } from '../../base/l10n';
import { count, errorText, shortNumber } from '../../base/number-text';
import { amountText, changeText, shownMetrics } from '../../experiment/shown-metrics';
import {
  formatMetric,
  metricCells,
  metricHeads,
  metricInfo,
  metricValue,
  type Metrics,
} from '../../experiment/metrics';
import {
  type ExportForm,
  type ExportLine,
  type ExportLoss,
  type ExportRecord,
  type MeasuredModel,
  type MergeChoice,
  requantizedWords,
  roundingWords,
} from '../export';
import { formName, mergeName } from '../export-forms';
import { exportRemarks } from '../inputs-words';
import type { PairedRise } from '../nonlinearity';
import { refinedText, refineProgress } from './refine-report';
import { limitsText } from '../vllm-limits';
import { warningsPart, type Part, type ReportTable } from './report';

/** The progress text; undefined if there is nothing new. */
export function exportProgress(line: ExportLine): string | undefined {
  switch (line.kind) {
    case 'preparing':
      return t('Reading model and data…');
    case 'fitting':
      return t('Fitting the nonlinearity: {0} of {1} tokens…', count(line.done), count(line.of));
    case 'not-fitted':
      return t('The linear fit was left out. {0}', line.reason);
    case 'refine-cost':
    case 'refine-step':
    case 'refine-evaluation':
      return refineProgress(line);
    case 'limits':
      return limitsText(line.limits);
    case 'measuring':
      return measuringText(line.what, count(line.examples));
    case 'problem':
      // An error ends the export.
      return line.severity === 'warning' ? line.message : undefined;
    default:
      return undefined;
  }
}

function measuringText(what: MeasuredModel, examples: string): string {
  switch (what) {
    case 'trained':
      return t('Measuring the trained model on {0} examples…', examples);
    case 'fitted':
      return t('Measuring the fitted form on {0} examples…', examples);
    case 'refined':
      return t('Measuring the refined form on {0} examples…', examples);
    case 'paper':
      return t('Measuring the paper’s merge on {0} examples…', examples);
    case 'removed':
      return t('Measuring the model without adapters on {0} examples…', examples);
    case 'exported':
      return t('Measuring the exported files on {0} examples…', examples);
  }
}

/** "Merged ONNX model: accuracy changes from 75.0% to 50.0%." */
export const dropText = (form: ExportForm, { drop: { metric }, metrics }: ExportLoss): string =>
  t(
    '{0}: {1} changes from {2} to {3}.',
    formName(form),
    metricInfo(metric).label,
    formatMetric(metric, metricValue(metrics.trained, metric)),
    formatMetric(metric, metricValue(metrics.exported, metric)),
  );

/** The reason for such a loss, and the alternatives. */
export const dropReason = ({ drop: { metric, loss }, limit, merge, refinement }: ExportLoss): string =>
  [
    lossReason(merge, refinement !== undefined),
    t('Here, {0}; confirmation is required above {1}.', changeText(metric, loss), amountText(metric, limit)),
    ...(merge === 'paper' ? [t('The fitted form, which is the default, usually loses far less.')] : []),
    t('An adapter, or an ONNX model with adapters as nodes, loses nothing.'),
  ].join(' ');

function lossReason(merge: MergeChoice | undefined, isRefined: boolean): string {
  switch (merge) {
    case 'fitted':
      return isRefined
        ? t('AuroRA’s nonlinearity was replaced by its linear fit, which was then trained further.')
        : t(
            'AuroRA’s nonlinearity was replaced by its linear fit, which can be refined by training it further.',
          );
    case 'paper':
      return t('The paper’s merge computes another function than AuroRA’s layer, which is not linear.');
    case undefined:
      return t('Storing the merged weights in fewer bits changes the model.');
  }
}

/** The result in one sentence. */
export function exportSummary({ form, metrics, drop: { metric } }: ExportRecord): string {
  const value = (m: Metrics) => formatMetric(metric, metricValue(m, metric));
  return t(
    '{0} exported: {1} {2} on the validation data, {3} as trained.',
    formName(form),
    metricInfo(metric).label,
    value(metrics.exported),
    value(metrics.trained),
  );
}

/** The exported files beside the trained model. */
export const exportParts = (record: ExportRecord): Part[] => [
  ...warningsPart(exportRemarks(record.inputs)),
  exportMetrics(record),
  ...differenceParts(record),
  ...headParts(record),
];

/**
 * The metrics of the exported files beside those of the trained model and of what stands for it.
 *
 * @param trained the words for the trained model
 */
export function exportMetrics(record: ExportRecord, trained = t('as trained')): ReportTable {
  const { metrics, form, step, inputs, drop } = record;
  const rows = (
    [
      [inputs?.changed.length ? t('on changed files') : trained, metrics.trained],
      [mergeName('fitted'), metrics.fitted],
      [t('refined'), metrics.refined],
      [mergeName('paper'), metrics.paper],
      [t('adapters removed'), metrics.removed],
      [t('these files ({0})', form), metrics.exported],
    ] as const
  ).flatMap(([row, m]) => (m === undefined ? [] : [[row, m] as const]));
  const names = shownMetrics(drop.metric, ...rows.map(([, m]) => m));
  return {
    columns: [t('step {0}', count(step)), ...metricHeads(names).map((number) => ({ number }))],
    rows: rows.map(([row, m]) => [row, ...metricCells(names, m)]),
  };
}

/** The differences between the exported files and the trained model. */
export function differenceParts(record: ExportRecord): string[] {
  const { largestDifference, requantized, rounding } = record;
  return [
    ...mergeParts(record),
    ...(requantized ? [requantizedWords(requantized)] : []),
    largestDifference === 0
      ? t('The logits of these files are identical to those of the model that they represent.')
      : requantized
        ? t(
            'The logits of these files differ from those of a merge in float32 by at most {0}.',
            errorText(largestDifference),
          )
        : t(
            'The logits of these files match those of the model that they represent to within {0}.',
            errorText(largestDifference),
          ),
    ...(rounding ? [roundingWords(rounding)] : []),
  ];
}

/** The replacement of σ and its cost. */
function mergeParts({ merge, fit, refinement, drop, lossRise }: ExportRecord): string[] {
  if (merge === undefined) return [];
  const change = changeText(drop.metric, drop.loss);
  const rise = lossRise ? [lossRiseText(lossRise)] : [];
  if (merge === 'paper')
    return [
      t(
        'The paper’s merge computes another function than AuroRA’s layer, which is not linear: here, {0}.',
        change,
      ),
      ...rise,
    ];
  const { tokens, layers, withBias } = fit!;
  return [
    refinement
      ? refinedText(refinement, drop)
      : t(
          'These files contain a linear fit of AuroRA’s nonlinearity, computed on at least {0} training tokens in each layer: here, {1}.',
          count(tokens),
          change,
        ),
    ...(withBias === layers
      ? []
      : [
          withBias === 0
            ? t('It has no biases, because the files have no place for them.')
            : t(
                '{0} of {1} layers have no bias, because the files have no place for it.',
                layers - withBias,
                layers,
              ),
        ]),
    ...rise,
  ];
}

const lossRiseText = ({ mean, error }: PairedRise): string =>
  mean < 0
    ? t(
        'The validation loss falls by {0} ± {1}, the standard error of the paired difference over the examples.',
        shortNumber(-mean),
        shortNumber(error),
      )
    : t(
        'The validation loss rises by {0} ± {1}, the standard error of the paired difference over the examples.',
        shortNumber(mean),
        shortNumber(error),
      );

/** True if a fit that was not refined loses more than the standard error. */
export const isWorthRefining = ({ merge, refinement, lossRise }: ExportRecord): boolean =>
  merge === 'fitted' && refinement === undefined && lossRise !== undefined && lossRise.mean > lossRise.error;

/** The place of the head in a folder for transformers. */
function headParts({ form, head }: ExportRecord): string[] {
  if (form !== 'safetensors' || head === undefined) return [];
  return [
    head.endsWith('.safetensors')
      ? t('The trained head is beside the model, in {0}: transformers has no class with such a head.', head)
      : t('The trained head is in the model, as that of {0}.', head),
  ];
}

/** The event file of `--as tensorboard`. */
export const eventsText = ({ steps, evaluations }: Extract<ExportLine, { kind: 'events' }>): string =>
  evaluations === 1
    ? t('Event file written: {0} training steps and 1 evaluation.', count(steps))
    : t('Event file written: {0} training steps and {1} evaluations.', count(steps), count(evaluations));
