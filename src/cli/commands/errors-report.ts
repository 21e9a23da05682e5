import { escapeControls } from '../../base/escape';
import { cautiousPercent, count, numberText } from '../../base/number-text';
import { type MeasuredOn, setName } from '../../experiment/evaluation-sets';
import { formatMetric, metricInfo, metricValue } from '../../experiment/metrics';
import { SCORINGS } from '../../experiment/scoring';
import { shownMetrics } from '../../experiment/shown-metrics';
import { absentWords } from '../../protocol/absent-labels';
import type { ChoiceAnswers } from '../../protocol/answers/choice';
import { tellingOrder } from '../../protocol/answers/examples';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS, foundCounts } from '../../protocol/answers/found';
import { isGraded, wrongOf } from '../../protocol/answers/kinds';
import {
  confusedPairs,
  confusionOf,
  type LabelAnswers,
  labelSlices,
  worstLabels,
} from '../../protocol/answers/label';
import type { LabelSetAnswers } from '../../protocol/answers/label-set';
import { type NumberAnswers, type NumberError, numberErrors, valueBins } from '../../protocol/answers/number';
import { lossByImage, lossByTimestep, type PictureAnswers } from '../../protocol/answers/picture';
import {
  accuracyOf,
  binOf,
  FEW,
  type LengthBin,
  lengthBins,
  lengthSlices,
  type Slice,
} from '../../protocol/answers/slices';
import type { SpanAnswers, SpanColumns } from '../../protocol/answers/spans';
import { type TextAnswers, textSlices } from '../../protocol/answers/text';
import type { Excerpt, Predictions } from '../../protocol/predictions';
import { rowName } from '../../protocol/row-place';
import { table } from '../table';

/** The numbers of pairs and labels that are listed; any others are only counted. */
const PAIRS = 10;
const LABELS = 12;
/** Characters shown of a text. */
const SHOWN = 100;

/** A model's errors as terminal text. */
export function errorsText(
  predictions: Predictions,
  file: string,
  top: number,
  on: MeasuredOn = 'validation',
): string {
  const wrong = wrongOf(predictions);
  const all = [
    headline(predictions, wrong, on),
    ...parts(predictions, wrong),
    ...(top > 0 ? [texts(predictions, wrong, top)] : []),
    [`Full results: ${file}`],
  ];
  const shown = all.filter((part) => part.length > 0);
  return `${shown.map((part) => part.join('\n')).join('\n\n')}\n`;
}

/** The wrong answers, by their shape. */
function parts(predictions: Predictions, wrong: Uint8Array): string[][] {
  switch (predictions.answer) {
    case 'label':
      return [pairs(predictions), lengths(predictions, wrong), labels(predictions, wrong)];
    case 'labels':
      return [setLabels(predictions), lengths(predictions, wrong)];
    case 'spans':
      return [types(predictions), lengths(predictions, wrong)];
    case 'number':
      return [numberSlices(predictions)];
    case 'text':
      return [textLengths(predictions)];
    case 'picture':
      return [timesteps(predictions), images(predictions)];
    case 'choice':
      return [[`Answers are found ${SCORINGS[predictions.scoring]}.`], lengths(predictions, wrong)];
  }
}

function headline(predictions: Predictions, wrong: Uint8Array, on: MeasuredOn): string[] {
  const { step, form, metrics, data, inputs } = predictions;
  const absent = absentWords(metrics);
  const right = wrong.length - wrong.reduce((n, w) => n + w, 0);
  const numbers = shownMetrics(undefined, metrics).map(
    (m) => `${metricInfo(m).label} ${formatMetric(m, metricValue(metrics, m))}`,
  );
  const examples =
    on === 'validation' || on === 'test'
      ? `${count(wrong.length)} ${on} examples`
      : `${count(wrong.length)} examples of ${setName(on)}`;
  return [
    `Step ${step}${form === 'static' ? ', static form' : ''}${isGraded(predictions.answer) ? `, ${examples}` : `: ${count(right)} of ${examples} are right`} · ${numbers.join(' · ')}`,
    `Data     ${data.file}`,
    ...(absent === undefined ? [] : [absent]),
    ...[...(inputs?.changed ?? []), ...(inputs?.notes ?? [])].map((words) => `warning: ${words}`),
    ...(inputs?.changed.length ? ['These metrics are not those of the trained model.'] : []),
  ];
}

const types = ({ spans, labels }: SpanAnswers): string[] => foundTable('type', spans, labels);
const setLabels = ({ sets, labels }: LabelSetAnswers): string[] => foundTable('label', sets, labels);

function foundTable(
  name: string,
  answers: Pick<SpanColumns, 'label' | 'found'>,
  labels: readonly string[],
): string[] {
  const share = (value: number | undefined) => (value === undefined ? '–' : cautiousPercent(value));
  const all = foundCounts(answers, labels.length);
  const rows = all
    .slice(0, LABELS)
    .map((t) => [
      `  ${labels[t.label]}`,
      ...[t.found, t.missed, t.spurious].map(count),
      ...[t.precision, t.recall, t.f1].map(share),
    ]);
  return [
    `By ${name}, worst first`,
    ...table([[`  ${name}`, 'found', 'missed', 'spurious', 'precision', 'recall', 'F1'], ...rows], '   '),
    ...(all.length > LABELS ? [`  and ${all.length - LABELS} more ${name}s`] : []),
  ];
}

/** The quality of the predictions for the next tokens, by length. */
function textLengths({ columns }: TextAnswers): string[] {
  const bins = lengthBins(columns.tokens);
  const rows = textSlices(columns, bins.length, (i) => binOf(bins, columns.tokens[i])).map((s, i) => [
    `  ${binName(bins[i])}`,
    count(s.texts),
    count(s.tokens),
    formatMetric('perplexity', s.perplexity),
    cautiousPercent(s.right),
  ]);
  return [
    'By length',
    ...table([['  tokens', 'texts', 'predicted tokens', 'perplexity', 'right'], ...rows], '   '),
  ];
}

/** The quality of the predictions for the noise, by its amount. */
const timesteps = ({ columns }: PictureAnswers): string[] => [
  'By timestep',
  ...table(
    [
      ['  timestep', 'images', 'mean loss'],
      ...lossByTimestep(columns).map((s) => [`  ${s.key}`, count(s.count), formatMetric('loss', s.loss)]),
    ],
    '   ',
  ),
];

function images({ columns, data }: Extract<Predictions, PictureAnswers>): string[] {
  const all = lossByImage(columns);
  const rows = all
    .slice(0, LABELS)
    .map((s) => [`  ${rowName(data.file, s.key, data.parts)}`, formatMetric('loss', s.loss)]);
  return [
    'By image, largest loss first',
    ...table([['  image', 'mean loss'], ...rows], '   '),
    ...(all.length > LABELS ? [`  and ${all.length - LABELS} more images`] : []),
  ];
}

/** The distance of the numbers from the true ones, by length and by their true value. */
function numberSlices({ columns }: NumberAnswers): string[] {
  const bins = lengthBins(columns.tokens);
  const byLength = numberErrors(columns, bins.length, (i) => binOf(bins, columns.tokens[i]));
  const values = valueBins(columns.value);
  const byValue = numberErrors(columns, values.length, (i) => binOf(values, columns.value[i]));
  const line = (name: string, e: NumberError) => [
    `  ${name}`,
    count(e.count),
    numberText(e.rmse),
    numberText(e.bias),
  ];
  const heads = (name: string) => [`  ${name}`, 'texts', 'RMSE', 'mean error'];
  return [
    'By length',
    ...table([heads('tokens'), ...byLength.map((e, i) => line(binName(bins[i]), e))], '   '),
    '',
    'By true number',
    ...table(
      [
        heads('from … to'),
        ...byValue.map((e, i) => line(`${numberText(values[i].from)} … ${numberText(values[i].to)}`, e)),
      ],
      '   ',
    ),
  ];
}

function pairs({ columns, labels }: LabelAnswers): string[] {
  const all = confusedPairs(confusionOf(columns, labels.length));
  if (all.length === 0) return ['No labels are confused.'];
  return [
    'Most confused',
    ...table(
      [
        ['  label', 'predicted as', 'examples', 'share of label'],
        ...all
          .slice(0, PAIRS)
          .map((p) => [
            `  ${labels[p.label]}`,
            labels[p.predicted],
            count(p.count),
            cautiousPercent(p.share),
          ]),
      ],
      '   ',
    ),
    ...(all.length > PAIRS ? [`  and ${count(all.length - PAIRS)} rarer pairs`] : []),
  ];
}

function lengths({ columns }: Predictions, wrong: Uint8Array): string[] {
  const bins = lengthBins(columns.tokens);
  // Images, and texts of the same length.
  if (bins.length < 2) return [];
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

const head = (name: string): string[] => [`  ${name}`, 'examples', 'accuracy', 'mean loss'];

const row = (name: string, slice: Slice): string[] => [
  `  ${name}`,
  count(slice.count),
  cautiousPercent(accuracyOf(slice)),
  formatMetric('loss', slice.loss),
  slice.count < FEW ? 'too few to tell' : '',
];

function texts(predictions: Predictions, wrong: Uint8Array, top: number): string[] {
  const { columns, excerpts, data } = predictions;
  const known = new Map(excerpts.map((excerpt) => [excerpt.example, excerpt]));
  const shown = tellingOrder(columns, wrong).slice(0, top);
  const lines = shown.flatMap((i) => {
    const excerpt = known.get(i);
    const words = answerWords(predictions, i, wrong[i] === 1, excerpt);
    const lines = [
      `  ${rowName(data.file, columns.line[i], data.parts)}: ${words}`,
      ...[excerpt?.text, excerpt?.pair].flatMap((text) =>
        text === undefined ? [] : [`    ${shorter(text)}`],
      ),
    ];
    return lines.map((line) => escapeControls(line));
  });
  return [
    `The ${shown.length === 1 ? 'most telling example' : `${shown.length} most telling examples`}`,
    ...lines,
  ];
}

function answerWords(
  predictions: Predictions,
  example: number,
  isWrong: boolean,
  excerpt: Excerpt | undefined,
): string {
  switch (predictions.answer) {
    case 'label':
      return labelWords(predictions, example, isWrong);
    case 'labels':
      return labelSetWords(predictions, example);
    case 'spans':
      return spanWords(predictions, example, excerpt?.text);
    case 'text': {
      const { loss, answered, right } = predictions.columns;
      return `perplexity ${formatMetric('perplexity', Math.exp(loss[example]))}, ${count(right[example])} of ${count(answered[example])} tokens right`;
    }
    case 'picture': {
      const { timestep, loss } = predictions.columns;
      return `timestep ${timestep[example]}, loss ${formatMetric('loss', loss[example])}`;
    }
    case 'choice':
      return choiceWords(predictions, example, excerpt);
    case 'number': {
      const { value, predicted } = predictions.columns;
      return `${numberText(value[example])}, predicted as ${numberText(predicted[example])}`;
    }
  }
}

/** "missed admin (12.0%); found net (93.1%)" */
function labelSetWords({ sets, labels }: LabelSetAnswers, example: number): string {
  const words = [...sets.example.keys()]
    .filter((k) => sets.example[k] === example)
    .map((k) => `${FOUND[sets.found[k]]} ${labels[sets.label[k]]} (${cautiousPercent(sets.probability[k])})`);
  return words.length > 0 ? words.join('; ') : 'no label, and none predicted';
}

function labelWords({ columns, labels }: LabelAnswers, i: number, isWrong: boolean): string {
  const [label, predicted] = [labels[columns.label[i]], labels[columns.predicted[i]]];
  const share = cautiousPercent(columns.probability[i]);
  return isWrong
    ? `${label}, predicted as ${predicted} (${share}; ${label} ${cautiousPercent(columns.truth[i])})`
    : `${label}, by a margin of ${cautiousPercent(columns.margin[i])} (${share})`;
}

/** "choice 2 (food), answered choice 1 (play); 61.0%, 39.0%" */
function choiceWords({ columns, shares }: ChoiceAnswers, i: number, excerpt: Excerpt | undefined): string {
  const named = (choice: number) => {
    const text = excerpt?.choices?.[choice];
    return `choice ${choice + 1}${text === undefined ? '' : ` (${shorter(text)})`}`;
  };
  const [label, predicted] = [columns.label[i], columns.predicted[i]];
  const probabilities = [...shares.example.keys()]
    .filter((s) => shares.example[s] === i)
    .map((s) => cautiousPercent(shares.probability[s]));
  const answer =
    predicted === columns.choices[i]
      ? `${named(label)}, the answer names none of the choices`
      : label === predicted
        ? `${named(label)}, right`
        : `${named(label)}, answered ${named(predicted)}`;
  return probabilities.length > 0 ? `${answer}; ${probabilities.join(', ')}` : answer;
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
