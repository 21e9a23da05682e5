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
import { spanTypes } from '../../../protocol/errors-view/span-types';
import { tellingOrder } from '../../../protocol/errors-view/telling';
import { wrongOf } from '../../../protocol/errors-view/wrong';
import {
  ANSWER_FOUND,
  ANSWER_MISSED,
  ANSWER_SPURIOUS,
  type LabelAnswers,
  type Predictions,
  type SpanAnswers,
} from '../../../protocol/predictions';
import { count } from '../../format';
import { formatMetric, metricInfo, metricsIn, metricValue } from '../../../experiment/metrics';
import { percent } from '../../../base/percent';
import { table } from '../../table';

/** The numbers of pairs and labels that are listed; any others are only counted. */
const PAIRS = 10;
const LABELS = 12;
/** Characters shown of a text. */
const SHOWN = 100;

/** A model's errors as terminal text. */
export function errorsText(predictions: Predictions, file: string, top: number): string {
  const wrong = wrongOf(predictions);
  const parts = [
    headline(predictions, wrong),
    ...(predictions.answer === 'label'
      ? [pairs(predictions), lengths(predictions, wrong), labels(predictions, wrong)]
      : [types(predictions), lengths(predictions, wrong)]),
    ...(top > 0 ? [texts(predictions, wrong, top)] : []),
    [`Full results: ${file}`],
  ];
  return `${parts.map((part) => part.join('\n')).join('\n\n')}\n`;
}

function headline({ step, form, metrics, data, inputs }: Predictions, wrong: Uint8Array): string[] {
  const right = wrong.length - wrong.reduce((n, w) => n + w, 0);
  const numbers = metricsIn(metrics).map(
    (m) => `${metricInfo(m).label} ${formatMetric(m, metricValue(metrics, m))}`,
  );
  return [
    `Step ${step}${form === 'static' ? ', static form' : ''}: ${count(right)} of ${count(wrong.length)} validation texts are right · ${numbers.join(' · ')}`,
    `Data     ${data.file}`,
    ...[...(inputs?.changed ?? []), ...(inputs?.notes ?? [])].map((words) => `warning: ${words}`),
    ...(inputs?.changed.length ? ['These metrics are not those of the trained model.'] : []),
  ];
}

function types({ spans, labels }: SpanAnswers): string[] {
  const share = (value: number | undefined) => (value === undefined ? '–' : percent(value));
  const rows = spanTypes(spans, labels.length).map((t) => [
    `  ${labels[t.label]}`,
    ...[t.found, t.missed, t.spurious].map(count),
    ...[t.precision, t.recall, t.f1].map(share),
  ]);
  return [
    'By type, worst first',
    ...table([['  type', 'found', 'missed', 'spurious', 'precision', 'recall', 'F1'], ...rows], '   '),
  ];
}

function pairs({ columns, labels }: LabelAnswers): string[] {
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

function lengths({ columns }: Predictions, wrong: Uint8Array): string[] {
  const bins = lengthBins(columns.tokens);
  const rows = lengthSlices(columns, wrong, bins).map((slice, i) => [
    ...row(binName(bins[i]), slice),
    slice.cut > 0 ? `${count(slice.cut)} truncated` : '',
  ]);
  return ['By length', ...table([[...head('tokens'), '', ''], ...rows], '   ')];
}

function labels({ columns, labels }: LabelAnswers, wrong: Uint8Array): string[] {
  const found = labelSlices(columns, wrong, labels.length);
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

function texts(predictions: Predictions, wrong: Uint8Array, top: number): string[] {
  const { columns, excerpts } = predictions;
  const known = new Map(excerpts.map((excerpt) => [excerpt.example, excerpt]));
  const shown = tellingOrder(columns, wrong).slice(0, top);
  const lines = shown.flatMap((i) => {
    const excerpt = known.get(i);
    const words =
      predictions.answer === 'label'
        ? labelWords(predictions, i, wrong[i] === 1)
        : spanWords(predictions, i, excerpt?.text);
    const lines = [
      `  line ${columns.line[i]}: ${words}`,
      ...[excerpt?.text, excerpt?.pair].flatMap((text) =>
        text === undefined ? [] : [`    ${shorter(text)}`],
      ),
    ];
    return lines.map((line) => escapeControls(line));
  });
  return [`The ${shown.length === 1 ? 'most telling text' : `${shown.length} most telling texts`}`, ...lines];
}

function labelWords({ columns, labels }: LabelAnswers, i: number, isWrong: boolean): string {
  const [label, predicted] = [labels[columns.label[i]], labels[columns.predicted[i]]];
  const share = percent(columns.probability[i]);
  return isWrong
    ? `${label}, predicted as ${predicted} (${share}; ${label} ${percent(columns.truth[i])})`
    : `${label}, by a margin of ${percent(columns.margin[i])} (${share})`;
}

const FOUND: Record<number, string> = {
  [ANSWER_MISSED]: 'missed',
  [ANSWER_SPURIOUS]: 'spurious',
  [ANSWER_FOUND]: 'found',
};

/** "missed PER John Smith; found LOC Paris" */
function spanWords({ spans, labels }: SpanAnswers, example: number, text: string | undefined): string {
  const words = [...spans.example.keys()]
    .filter((s) => spans.example[s] === example)
    .map((s) => {
      const part = text?.slice(spans.start[s], spans.end[s]) ?? '';
      return `${FOUND[spans.found[s]]} ${labels[spans.label[s]]} ${part}`.trimEnd();
    });
  return words.length > 0 ? words.join('; ') : 'no span, and none predicted';
}

const shorter = (text: string): string =>
  text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 1).replace(/[\ud800-\udbff]$/, '')}…`;
