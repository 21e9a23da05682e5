import { t } from '../../base/l10n';
import { formatMetric, isMetric, metricInfo, type Metrics, metricValue } from '../../experiment/metrics';
import { amountText, changeText } from '../../experiment/shown-metrics';
import {
  EXPORT_FORMS,
  type ExportForm,
  type ExportLine,
  type ExportRecord,
  isStaticForm,
} from '../../protocol/export';
import { programLine } from '../launcher/program';

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

/** A short name for an export, for tree rows and notifications. */
export function formName(form: ExportForm): string {
  switch (form) {
    case 'adapter':
      return t('Adapter');
    case 'peft-lora':
      return t('PEFT LoRA');
    case 'onnx-dynamic':
      return t('ONNX model');
    case 'onnx-merged':
      return t('Merged ONNX model');
    case 'onnx-adapter-inputs':
      return t('ONNX model with adapter inputs');
    case 'safetensors':
      return t('Merged Hugging Face folder');
  }
}

/** The purpose of a form, shown when choosing one. */
export function formWords(form: ExportForm, aurora: boolean): string {
  const words = whatFor(form);
  return aurora && isStaticForm(form)
    ? `${words} ${t('With AuroRA, this loses some quality; the loss is measured.')}`
    : words;
}

function whatFor(form: ExportForm): string {
  switch (form) {
    case 'adapter':
      return t('The adapter as trained, in PEFT’s file layout, with a loader for PyTorch.');
    case 'peft-lora':
      return t('A LoRA that PEFT itself can load.');
    case 'onnx-dynamic':
      return t('The whole model exactly as trained, with adapters as nodes.');
    case 'onnx-merged':
      return t('The original model with the adapter merged into its weights.');
    case 'onnx-adapter-inputs':
      return t(
        'The whole model with the adapter’s parameters as inputs, so that they can be swapped at run time.',
      );
    case 'safetensors':
      return t('The folder from the hub with the adapter merged into its weights, as transformers loads it.');
  }
}
