import { t } from '../../base/l10n';

import { EXPORT_FORMS, type ExportForm, type ExportLine, type ExportRecord } from '../../protocol/export';
import { amountText, changeText } from '../../experiment/shown-metrics';
import { formatMetric, isMetric, metricInfo, metricValue, type Metrics } from '../../experiment/metrics';
import { programLine } from '../launcher/program-line';
import { formName } from './form-words';

/** A line of `aurora export --json`. */
export const parseExportLine = (line: string): ExportLine | undefined =>
  programLine(line, ['preparing', 'measuring', 'ask', 'declined', 'result', 'events', 'problem']);

/** The progress text; undefined if there is nothing new. */
export function progressText(line: ExportLine): string | undefined {
  if (line.kind === 'preparing') return t('Reading model and data…');
  if (line.kind !== 'measuring') return undefined;
  switch (line.what) {
    case 'dynamic':
      return t('Measuring the dynamic form on {0} examples…', line.examples);
    case 'static':
      return t('Measuring the static form on {0} examples…', line.examples);
    case 'exported':
      return t('Measuring the exported files on {0} examples…', line.examples);
  }
}

/** The confirmation for a lossy merge: the question, and its detail. */
export function dropQuestion(
  form: ExportForm,
  { drop, limit, metrics }: Extract<ExportLine, { kind: 'ask' }>,
): { question: string; detail: string } {
  const { metric } = drop;
  return {
    question: t(
      '{0}: {1} changes from {2} to {3}. Export anyway?',
      formName(form),
      metricInfo(metric).label,
      formatMetric(metric, metricValue(metrics.dynamic, metric)),
      formatMetric(metric, metricValue(metrics.exported, metric)),
    ),
    detail: t(
      'AuroRA’s layer is not linear, so merging changes its function. Here, {0}; confirmation is required above {1}. An adapter, or an ONNX model with adapters as nodes, loses nothing.',
      changeText(metric, drop.loss),
      amountText(metric, limit),
    ),
  };
}

/** The result in one sentence. */
export function resultText(record: ExportRecord): string {
  const { metric } = record.drop;
  const value = (m: Metrics) => formatMetric(metric, metricValue(m, metric));
  const { metrics, trainedForm, form } = record;
  return t(
    '{0} exported: {1} {2} on the validation data, {3} as trained.',
    formName(form),
    metricInfo(metric).label,
    value(metrics.exported),
    value(metrics[trainedForm]),
  );
}

/** Parses an export.json; undefined if it is not a known one. */
export function parseRecord(value: unknown): ExportRecord | undefined {
  const record = value as Partial<ExportRecord> | null;
  const known =
    record?.program === 'aurora-lab' &&
    EXPORT_FORMS.includes(record.form as ExportForm) &&
    typeof record.step === 'number' &&
    typeof record.metrics?.exported?.loss === 'number' &&
    isMetric(record.drop?.metric);
  return known ? (record as ExportRecord) : undefined;
}
