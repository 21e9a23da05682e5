import { escapeControls } from '../base/escape';
import { count, numberText } from '../base/number-text';
import { cautiousPercent } from '../base/number-text';
import { formatMetric, metricInfo } from '../experiment/metrics';
import { SCORINGS, WRITTEN_SCORINGS } from '../experiment/scoring';
import type { ChoiceAnswers } from '../protocol/answers/choice';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS, foundCounts } from '../protocol/answers/found';
import type { Answers } from '../protocol/answers/kinds';
import {
  confusedPairs,
  confusionOf,
  labelSlices,
  worstLabels,
  type LabelAnswers,
} from '../protocol/answers/label';
import type { LabelSetAnswers } from '../protocol/answers/label-set';
import { numberErrors, valueBins, type NumberAnswers, type NumberError } from '../protocol/answers/number';
import { lossByImage, lossByTimestep, type PictureAnswers } from '../protocol/answers/picture';
import {
  accuracyOf,
  binOf,
  FEW,
  lengthBins,
  lengthSlices,
  type LengthBin,
  type Slice,
} from '../protocol/answers/slices';
import type { PlaySpan, SpanAnswers, SpanColumns } from '../protocol/answers/spans';
import { textSlices, type TextAnswers } from '../protocol/answers/text';
import type { PlayToken } from '../protocol/answers/tokens';
import type { JudgedAnswers, WrittenAnswers } from '../protocol/answers/written';
import type { PlayFacts, Prediction } from '../protocol/playground';
import type { Excerpt, PredictionFacts, Predictions } from '../protocol/predictions';
import { rowName } from '../protocol/row-place';
import { table } from './table';

/** The numbers of pairs and labels that are listed; any others are only counted. */
const PAIRS = 10;
const LABELS = 12;
/** Characters shown of a text. */
const SHOWN = 100;
/** The number of labels shown for a model's answer to a question. */
const SHOWN_LABELS = 3;

/** A kind of answer in `aurora errors`. */
interface AnswerText<A> {
  /** Tables of what is wrong. */
  parts(predictions: PredictionFacts & A, wrong: Uint8Array): string[][];
  /** The answers to an example, in one line. */
  example(answers: A, example: number, isWrong: boolean, excerpt: Excerpt | undefined): string;
}

const KINDS: { [A in Answers as A['answer']]: AnswerText<A> } = {
  label: {
    parts: (p, wrong) => [pairs(p), lengths(p, wrong), labels(p, wrong)],
    example: labelWords,
  },
  labels: {
    parts: (p, wrong) => [foundTable('label', p.sets, p.labels), lengths(p, wrong)],
    example: labelSetWords,
  },
  spans: {
    parts: (p, wrong) => [foundTable('type', p.spans, p.labels), lengths(p, wrong)],
    example: spanWords,
  },
  number: {
    parts: (p) => [numberSlices(p)],
    example: ({ columns: { value, predicted } }, i) =>
      `${numberText(value[i])}, predicted as ${numberText(predicted[i])}`,
  },
  text: {
    parts: (p) => [textLengths(p)],
    example: ({ columns: { loss, answered, right } }, i) =>
      `perplexity ${formatMetric('perplexity', Math.exp(loss[i]))}, ${count(right[i])} of ${count(answered[i])} tokens right`,
  },
  written: {
    parts: (p, wrong) => [judgedTable(p), lengths(p, wrong)],
    example: writtenText,
  },
  picture: {
    parts: (p) => [timesteps(p), images(p)],
    example: ({ columns: { timestep, loss } }, i) =>
      `timestep ${timestep[i]}, loss ${formatMetric('loss', loss[i])}`,
  },
  choice: {
    parts: (p, wrong) => [[`Answers are found ${SCORINGS[p.scoring]}.`], lengths(p, wrong)],
    example: (answers, i, _, excerpt) => choiceWords(answers, i, excerpt),
  },
};

const kindOf = ({ answer }: Answers): AnswerText<Answers> => KINDS[answer] as AnswerText<Answers>;

/** Tables of a model's wrong answers. */
export const answersParts = (predictions: Predictions, wrong: Uint8Array): string[][] =>
  kindOf(predictions).parts(predictions, wrong);

/** The true and the predicted answers to an example, in one line. */
export const exampleText = (
  answers: Answers,
  example: number,
  isWrong: boolean,
  excerpt: Excerpt | undefined,
): string => kindOf(answers).example(answers, example, isWrong, excerpt);

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

/** The written answers by each method. */
const judgedTable = ({ judged }: WrittenAnswers): string[] => [
  'Written answers',
  ...table(
    [
      ['  by', 'right', 'wrong', 'of these, with no answer', 'share right'],
      ...judged.map(({ scoring, right, written }) => {
        const found = right.reduce((a, b) => a + b, 0);
        return [
          `  ${metricInfo(WRITTEN_SCORINGS[scoring]).label}`,
          count(found),
          count(right.length - found),
          count(written.filter((answer) => answer === null).length),
          cautiousPercent(found / right.length),
        ];
      }),
    ],
    '   ',
  ),
];

/** "exact match 20, not 18; last number 18, right; wrote: So she has …" */
function writtenText({ judged, texts }: WrittenAnswers, i: number): string {
  const line = texts[i].replace(/\s+/g, ' ').trim();
  // The end of a text has the answer.
  const end = line.length <= SHOWN ? line : `…${line.slice(1 - SHOWN).replace(/^[\udc00-\udfff]/, '')}`;
  return `${judged.map((one) => judgedWords(one, i)).join('; ')}; wrote: ${end || 'nothing'}`;
}

function judgedWords({ scoring, right, written, reference }: JudgedAnswers, i: number): string {
  const answer = written[i] === null ? 'no answer' : shorter(written[i]);
  const outcome =
    right[i] === 1 ? 'right' : reference[i] === null ? 'the data has none' : `not ${shorter(reference[i])}`;
  return `${metricInfo(WRITTEN_SCORINGS[scoring]).label} ${answer}, ${outcome}`;
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

function images({ columns, data }: PredictionFacts & PictureAnswers): string[] {
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

function lengths({ columns }: Pick<Answers, 'columns'>, wrong: Uint8Array): string[] {
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
function spanWords(
  { spans, labels }: SpanAnswers,
  example: number,
  _: boolean,
  excerpt: Excerpt | undefined,
): string {
  const { text } = excerpt ?? {};
  const words = [...spans.example.keys()]
    .filter((s) => spans.example[s] === example)
    .map((s) => {
      const part = text?.slice(spans.start[s], spans.end[s]) ?? '';
      return `${FOUND[spans.found[s]]} ${labels[spans.label[s]]} ${part}`.trimEnd();
    });
  return words.length > 0 ? words.join('; ') : 'no span, and none predicted';
}

export const shorter = (text: string): string =>
  text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 1).replace(/[\ud800-\udbff]$/, '')}…`;

/** A model's answer to one question, in columns. */
export function answerText(a: Prediction, { answer, labels }: PlayFacts, question: string): string[] {
  if (a.spans) return [spansText(a.spans, question)];
  if (a.number !== undefined) return [`${labels[0]} ${numberText(a.number)}`];
  if (a.masks) return [a.masks.map(tokensText).join(' | ')];
  return answer === 'labels'
    ? [labelsText(a.probabilities, labels)]
    : likeliest(a.probabilities, a.choices ?? labels);
}

/** The labels that are more likely than not. */
function labelsText(probabilities: readonly number[], labels: readonly string[]): string {
  const given = [...probabilities.keys()].filter((i) => probabilities[i] > 0.5);
  const words = given
    .sort((x, y) => probabilities[y] - probabilities[x])
    .map((i) => `${labels[i]} ${cautiousPercent(probabilities[i])}`);
  return words.length === 0 ? 'no label' : words.join(', ');
}

const likeliest = (probabilities: readonly number[], labels: readonly string[]): string[] =>
  [...probabilities.keys()]
    .sort((x, y) => probabilities[y] - probabilities[x])
    .slice(0, SHOWN_LABELS)
    .map((i) => `${labels[i]} ${cautiousPercent(probabilities[i])}`);

/** The likeliest tokens for a mask. */
const tokensText = (tokens: readonly PlayToken[]): string =>
  tokens
    .slice(0, SHOWN_LABELS)
    .map(({ token, probability }) => escapeControls(`${token} ${cautiousPercent(probability)}`))
    .join(', ');

const spansText = (spans: readonly PlaySpan[], question: string): string =>
  spans.length === 0
    ? 'no span'
    : spans
        .map(({ start, end, label, probability }) =>
          escapeControls(`${question.slice(start, end)} (${label} ${cautiousPercent(probability)})`),
        )
        .join(', ');
