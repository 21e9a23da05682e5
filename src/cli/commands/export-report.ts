import { count, errorText } from '../../base/number-text';
import { shellQuote } from '../../base/shell-quote';
import { metricCells, metricHeads, type MetricName } from '../../experiment/metrics';
import { changeText, shownMetrics } from '../../experiment/shown-metrics';
import type { EvaluationMetrics } from '../../protocol/events';
import {
  type ExportForm,
  type ExportLine,
  type ExportRecord,
  isStaticForm,
  type MetricDrop,
  requantizedWords,
  roundingWords,
} from '../../protocol/export';
import { hints } from '../output';
import { terminalText } from '../report-text';
import { table } from '../table';

/** A line of an export as terminal text. */
export function exportText(line: ExportLine): string {
  switch (line.kind) {
    case 'result':
      return result(line.folder, line.record);
    case 'events':
      return `${[
        `Wrote ${count(line.steps)} training steps and ${count(line.evaluations)} ${line.evaluations === 1 ? 'evaluation' : 'evaluations'} to ${line.file}`,
        ...hints(`Show them with: tensorboard --logdir ${shellQuote(line.folder)}`),
      ].join('\n')}\n`;
    case 'declined':
      return 'Nothing was kept.\n';
    case 'problem':
      return terminalText([{ problems: [line] }]);
    default:
      return '';
  }
}

const MEASURED = { dynamic: 'the dynamic form', static: 'the static form', exported: 'the exported files' };

/** "Measuring the exported files on 2,256 examples …" */
export const measuringText = ({ what, examples }: Extract<ExportLine, { kind: 'measuring' }>): string =>
  `Measuring ${MEASURED[what]} on ${count(examples)} examples…\n`;

/** "As onnx-merged, accuracy falls by 2.31 points on the validation set." */
export const dropWords = (form: ExportForm, { metric, loss }: MetricDrop): string =>
  `As ${form}, ${changeText(metric, loss)} on the validation set.`;

function result(folder: string, record: ExportRecord): string {
  const { metrics, trainedForm, form, drop, largestDifference, step } = record;
  const names = shownMetrics(drop.metric, metrics.exported, metrics.dynamic, metrics.static);
  const gap =
    isStaticForm(form) && trainedForm === 'dynamic' && !isOneForm(record)
      ? [`Merged, ${changeText(drop.metric, drop.loss)}.`]
      : [];
  const { changed = [], notes = [] } = record.inputs ?? {};
  const lines = [
    ...[...changed, ...notes].map((words) => `warning: ${words}`),
    ...(changed.length > 0 ? ['These files and metrics are not those of the trained model.', ''] : []),
    ...table([
      [`  step ${step}`, ...metricHeads(names)],
      ...forms(record, names),
      row(`these files (${form})`, metrics.exported, names),
    ]),
    '',
    ...gap,
    ...(record.requantized ? [requantizedWords(record.requantized)] : []),
    largestDifference === 0
      ? 'Their logits are identical to those of the form they contain.'
      : record.requantized
        ? `Their logits differ from those of a merge in float32 by at most ${errorText(largestDifference)}.`
        : `Their logits match those of the form they contain to within ${errorText(largestDifference)}.`,
    ...(record.rounding ? [roundingWords(record.rounding)] : []),
    ...headWords(record),
    `Wrote ${folder}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** The place of the head in a folder for transformers. */
function headWords({ form, head }: ExportRecord): string[] {
  if (form !== 'safetensors' || head === undefined) return [];
  return [
    head.endsWith('.safetensors')
      ? `The trained head is beside the model, in ${head}: transformers has no class with such a head.`
      : `The trained head is in the model, as that of ${head}.`,
  ];
}

/** LoRA's two forms are the same function. */
const isOneForm = ({ metrics }: ExportRecord): boolean =>
  JSON.stringify(metrics.dynamic) === JSON.stringify(metrics.static);

function forms(record: ExportRecord, names: readonly MetricName[]): string[][] {
  const { metrics, trainedForm, inputs } = record;
  const trained = inputs?.changed.length ? 'on changed files' : 'as trained';
  const { dynamic, static: fixed } = metrics;
  if (isOneForm(record)) return [row(trained, dynamic, names)];
  const mark = (form: string) => (form === trainedForm ? ` (${trained})` : '');
  return [
    row(`dynamic${mark('dynamic')}`, dynamic, names),
    row(`static, merged${mark('static')}`, fixed, names),
  ];
}

const row = (name: string, m: EvaluationMetrics, names: readonly MetricName[]): string[] => [
  `  ${name}`,
  ...metricCells(names, m),
];
