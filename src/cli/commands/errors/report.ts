import { escapeControls } from '../../../base/controls';
import { confusedPairs, confusionOf } from '../../../protocol/errors-view/confusion';
import {
  accuracyOf,
  FEW,
  labelSlices,
  lengthBins,
  lengthSlices,
  worstLabels,
  type LengthBin,
  type Slice,
} from '../../../protocol/errors-view/slices';
import { isWrong, tellingOrder } from '../../../protocol/errors-view/telling';
import type { Predictions } from '../../../protocol/predictions';
import { count } from '../../format';
import { formatMetric, METRIC_COLUMNS, metricInfo } from '../../../experiment/metrics';
import { percent } from '../../../base/percent';
import { table } from '../../table';

/** The numbers of pairs and labels that are listed; any others are only counted. */
const PAIRS = 10;
const LABELS = 12;
/** Characters shown of a text. */
const SHOWN = 100;

/** A model's errors as terminal text. */
export function errorsText(predictions: Predictions, file: string, top: number): string {
  const parts = [headline(predictions), pairs(predictions), lengths(predictions), labels(predictions)];
  const lines = [...parts, ...(top > 0 ? [texts(predictions, top)] : []), [`Full results: ${file}`]];
  return `${lines.map((part) => part.join('\n')).join('\n\n')}\n`;
}

function headline({ step, form, metrics, columns, data, inputs }: Predictions): string[] {
  const examples = columns.label.length;
  const others = METRIC_COLUMNS.filter((m) => m !== 'accuracy')
    .map((m) => `${metricInfo(m).label} ${formatMetric(m, metrics[m])}`)
    .join(' · ');
  const right = columns.label.filter((label, i) => label === columns.predicted[i]).length;
  return [
    `Step ${step}${form === 'static' ? ', static form' : ''}: ${count(right)} of ${count(examples)} validation texts are right (${formatMetric('accuracy', metrics.accuracy)}) · ${others}`,
    `Data     ${data.file}`,
    ...[...(inputs?.changed ?? []), ...(inputs?.notes ?? [])].map((words) => `warning: ${words}`),
    ...(inputs?.changed.length ? ['These metrics are not those of the trained model.'] : []),
  ];
}

function pairs({ columns, labels }: Predictions): string[] {
  const all = confusedPairs(confusionOf(columns, labels.length));
  if (all.length === 0) return ['No labels are confused.'];
  return [
    'Most confused',
    ...table(
      [
        ['  label', 'predicted as', 'texts', 'share of label'],
        ...all
          .slice(0, PAIRS)
          .map((p) => [`  ${labels[p.label]}`, labels[p.predicted], count(p.count), percent(p.share)]),
      ],
      '   ',
    ),
    ...(all.length > PAIRS ? [`  and ${count(all.length - PAIRS)} rarer pairs`] : []),
  ];
}

function lengths({ columns }: Predictions): string[] {
  const bins = lengthBins(columns.tokens);
  const rows = lengthSlices(columns, bins).map((slice, i) => [
    ...row(binName(bins[i]), slice),
    slice.cut > 0 ? `${count(slice.cut)} truncated` : '',
  ]);
  return ['By length', ...table([[...head('tokens'), '', ''], ...rows], '   ')];
}

function labels({ columns, labels }: Predictions): string[] {
  const found = labelSlices(columns, labels.length);
  const worst = worstLabels(found);
  const rows = worst.slice(0, LABELS).map((label) => row(labels[label], found[label]));
  return [
    'By label, worst first',
    ...table([head('label'), ...rows], '   '),
    ...(worst.length > LABELS ? [`  and ${worst.length - LABELS} more labels`] : []),
  ];
}

const binName = ({ from, to }: LengthBin): string => (from === to ? String(from) : `${from} to ${to}`);

const head = (name: string): string[] => [`  ${name}`, 'texts', 'accuracy', 'mean loss'];

const row = (name: string, slice: Slice): string[] => [
  `  ${name}`,
  count(slice.count),
  percent(accuracyOf(slice)),
  slice.loss.toFixed(4),
  slice.count < FEW ? 'too few to tell' : '',
];

function texts({ columns, labels, excerpts }: Predictions, top: number): string[] {
  const known = new Map(excerpts.map(({ example, text }) => [example, text]));
  const shown = tellingOrder(columns).slice(0, top);
  const lines = shown.flatMap((i) => {
    const [label, predicted] = [labels[columns.label[i]], labels[columns.predicted[i]]];
    const share = percent(columns.probability[i]);
    const words = isWrong(columns, i)
      ? `${label}, predicted as ${predicted} (${share}; ${label} ${percent(columns.truth[i])})`
      : `${label}, by a margin of ${percent(columns.margin[i])} (${share})`;
    const text = known.get(i);
    const lines = [
      `  line ${columns.line[i]}: ${words}`,
      ...(text === undefined ? [] : [`    ${shorter(text)}`]),
    ];
    return lines.map((line) => escapeControls(line));
  });
  return [`The ${shown.length === 1 ? 'most telling text' : `${shown.length} most telling texts`}`, ...lines];
}

const shorter = (text: string): string =>
  text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 1).replace(/[\ud800-\udbff]$/, '')}…`;
