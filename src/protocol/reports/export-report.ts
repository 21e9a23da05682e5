import { t } from '../../base/l10n';
import { count, errorText } from '../../base/number-text';
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
  isStaticForm,
  requantizedWords,
  roundingWords,
  type ExportForm,
  type ExportLine,
  type ExportRecord,
} from '../export';
import { formName } from '../export-forms';
import { exportRemarks } from '../inputs-words';
import { warningsPart, type Part, type ReportTable } from './report';

/** The progress text; undefined if there is nothing new. */
export function exportProgress(line: ExportLine): string | undefined {
  if (line.kind === 'preparing') return t('Reading model and data…');
  if (line.kind !== 'measuring') return undefined;
  const examples = count(line.examples);
  switch (line.what) {
    case 'dynamic':
      return t('Measuring the dynamic form on {0} examples…', examples);
    case 'static':
      return t('Measuring the static form on {0} examples…', examples);
    case 'exported':
      return t('Measuring the exported files on {0} examples…', examples);
  }
}

type Asked = Pick<Extract<ExportLine, { kind: 'ask' }>, 'drop' | 'limit' | 'metrics'>;

/** "Merged ONNX model: accuracy changes from 75.0% to 50.0%." */
export const dropText = (form: ExportForm, { drop: { metric }, metrics }: Asked): string =>
  t(
    '{0}: {1} changes from {2} to {3}.',
    formName(form),
    metricInfo(metric).label,
    formatMetric(metric, metricValue(metrics.dynamic, metric)),
    formatMetric(metric, metricValue(metrics.exported, metric)),
  );

/** The reason for such a loss, and the alternatives. */
export function dropReason({ drop: { metric, loss }, limit, metrics }: Asked): string {
  const why = isOneForm({ metrics })
    ? t('Quantizing the merged weights again changes the model.')
    : t('AuroRA’s layer is not linear, so merging changes its function.');
  return t(
    '{0} Here, {1}; confirmation is required above {2}. An adapter, or an ONNX model with adapters as nodes, loses nothing.',
    why,
    changeText(metric, loss),
    amountText(metric, limit),
  );
}

/** The result in one sentence. */
export function exportSummary({ form, trainedForm, metrics, drop: { metric } }: ExportRecord): string {
  const value = (m: Metrics) => formatMetric(metric, metricValue(m, metric));
  return t(
    '{0} exported: {1} {2} on the validation data, {3} as trained.',
    formName(form),
    metricInfo(metric).label,
    value(metrics.exported),
    value(metrics[trainedForm]),
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
 * The metrics of the exported files beside those of each form.
 *
 * @param trained the origin of the form that was trained
 */
export function exportMetrics(record: ExportRecord, trained = t('as trained')): ReportTable {
  const { metrics, trainedForm, form, step, inputs, drop } = record;
  const names = shownMetrics(drop.metric, metrics.exported, metrics.dynamic, metrics.static);
  const origin = inputs?.changed.length ? t('on changed files') : trained;
  const name = (of: 'dynamic' | 'static') => {
    const word = of === 'dynamic' ? t('dynamic') : t('static, merged');
    return of === trainedForm ? `${word} (${origin})` : word;
  };
  const rows: [string, Metrics][] = isOneForm(record)
    ? [[origin, metrics.dynamic]]
    : [
        [name('dynamic'), metrics.dynamic],
        [name('static'), metrics.static],
      ];
  return {
    columns: [t('step {0}', count(step)), ...metricHeads(names).map((number) => ({ number }))],
    rows: [...rows, [t('these files ({0})', form), metrics.exported] as const].map(([row, m]) => [
      row,
      ...metricCells(names, m),
    ]),
  };
}

/** The differences between the exported files and the trained model. */
export function differenceParts(record: ExportRecord): string[] {
  const { drop, form, trainedForm, largestDifference, requantized, rounding } = record;
  return [
    ...(isStaticForm(form) && trainedForm === 'dynamic' && !isOneForm(record)
      ? [
          t(
            'Merging AuroRA changes its function, because its layer is not linear: here, {0}.',
            changeText(drop.metric, drop.loss),
          ),
        ]
      : []),
    ...(requantized ? [requantizedWords(requantized)] : []),
    largestDifference === 0
      ? t('The logits of these files are identical to those of the form that they contain.')
      : requantized
        ? t(
            'The logits of these files differ from those of a merge in float32 by at most {0}.',
            errorText(largestDifference),
          )
        : t(
            'The logits of these files match those of the form that they contain to within {0}.',
            errorText(largestDifference),
          ),
    ...(rounding ? [roundingWords(rounding)] : []),
  ];
}

/** The place of the head in a folder for transformers. */
function headParts({ form, head }: ExportRecord): string[] {
  if (form !== 'safetensors' || head === undefined) return [];
  return [
    head.endsWith('.safetensors')
      ? t('The trained head is beside the model, in {0}: transformers has no class with such a head.', head)
      : t('The trained head is in the model, as that of {0}.', head),
  ];
}

/** LoRA's two forms are the same function. */
const isOneForm = ({ metrics }: Pick<ExportRecord, 'metrics'>): boolean =>
  JSON.stringify(metrics.dynamic) === JSON.stringify(metrics.static);

/** The event file of `--as tensorboard`. */
export const eventsText = ({ steps, evaluations }: Extract<ExportLine, { kind: 'events' }>): string =>
  evaluations === 1
    ? t('Event file written: {0} training steps and 1 evaluation.', count(steps))
    : t('Event file written: {0} training steps and {1} evaluations.', count(steps), count(evaluations));
