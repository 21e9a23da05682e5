import { type LabelAnswers, labelColumns, type LabelColumns } from '../../../src/protocol/answers/label';
import { type LabelSetAnswers, labelSetColumns } from '../../../src/protocol/answers/label-set';
import { type NumberAnswers, numberColumns } from '../../../src/protocol/answers/number';
import type { PredictionFacts } from '../../../src/protocol/predictions';
import { type SpanAnswers, spanColumns } from '../../../src/protocol/answers/spans';
import { commonColumns } from '../../../src/protocol/answers/answer-kind';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../../../src/protocol/answers/found';

/** The relevant part of a validation example; the rest follows from its probabilities. */
export interface Example {
  label: number;
  /** For each label; they sum to 1. */
  shares: readonly number[];
  tokens?: number;
  cut?: boolean;
}

export function columns(examples: readonly Example[]): LabelColumns {
  const rows = examples.map(({ label, shares, tokens = 8, cut = false }, i) => {
    const [first, second] = [...shares].sort((a, b) => b - a);
    return {
      line: i + 1,
      label,
      predicted: shares.indexOf(first),
      probability: first,
      truth: shares[label],
      loss: -Math.log(shares[label]),
      margin: first - (second ?? 0),
      tokens,
      cut: Number(cut),
    };
  });
  return labelColumns(listsOf(rows, Object.keys(rows[0] ?? {})));
}

type LabelPredictions = PredictionFacts & LabelAnswers;
type SpanPredictions = PredictionFacts & SpanAnswers;

export const predictions = (
  examples: readonly Example[],
  more: Partial<LabelPredictions> = {},
): LabelPredictions => ({
  ...FACTS,
  answer: 'label',
  labels: (examples[0]?.shares ?? [1]).map((_, i) => `label ${i}`),
  metrics: { loss: 0.5, accuracy: 0.75, f1: 0.7, matthews: 0.5, examples: examples.length },
  columns: columns(examples),
  ...more,
});

/** A text with spans in brackets: "=" before one that is found, "-" missed, "+" spurious: "=[Anna Miller PER] ran". */
export interface SpanExample {
  text: string;
  tokens?: number;
  cut?: boolean;
}

export const SPAN_LABELS = ['LOC', 'ORG', 'PER'];

export function spanPredictions(
  examples: readonly SpanExample[],
  more: Partial<SpanPredictions> = {},
): SpanPredictions {
  const read = examples.map(({ text }) => readSpans(text));
  const spans = read.flatMap((r, example) => r.spans.map((s) => ({ example, ...s })));
  const rows = examples.map(({ tokens = 8, cut = false }, i) => {
    const wrong = read[i].spans.filter((s) => s.found !== ANSWER_FOUND).length;
    return { line: i + 1, loss: wrong + i / 1000, margin: 1 / (2 + wrong + i), tokens, cut: Number(cut) };
  });
  return {
    ...FACTS,
    answer: 'spans',
    labels: SPAN_LABELS,
    metrics: {
      loss: 0.5,
      entityF1: 0.75,
      entityPrecision: 0.8,
      entityRecall: 0.7059,
      tagAccuracy: 0.9,
      examples: examples.length,
    },
    columns: commonColumns(listsOf(rows, ['line', 'loss', 'margin', 'tokens', 'cut'])),
    spans: spanColumns(listsOf(spans, ['example', 'start', 'end', 'label', 'found'])),
    excerpts: read.map(({ text }, example) => ({ example, text })),
    ...more,
  };
}

type NumberPredictions = PredictionFacts & NumberAnswers;

/** A text's true and predicted number. */
export interface NumberExample {
  value: number;
  predicted: number;
  tokens?: number;
  cut?: boolean;
}

export const numberPredictions = (
  examples: readonly NumberExample[],
  more: Partial<NumberPredictions> = {},
): NumberPredictions => {
  const rows = examples.map(({ tokens = 8, cut = false, ...e }, i) => {
    const loss = (e.predicted - e.value) ** 2;
    return { ...e, line: i + 1, loss, margin: 0, tokens, cut: Number(cut) };
  });
  return {
    ...FACTS,
    answer: 'number',
    labels: ['score'],
    metrics: { loss: 0.25, pearson: 0.912, spearman: 0.899, rmse: 0.5, examples: examples.length },
    columns: numberColumns(listsOf(rows, ['line', 'loss', 'margin', 'tokens', 'cut', 'value', 'predicted'])),
    ...more,
  };
};

type LabelSetPredictions = PredictionFacts & LabelSetAnswers;

/** A text's labels, by name, and the probability of each label; above 0.5 it is predicted. */
export interface LabelSetExample {
  truth: readonly string[];
  shares: Readonly<Record<string, number>>;
  tokens?: number;
  cut?: boolean;
}

export function labelSetPredictions(
  examples: readonly LabelSetExample[],
  more: Partial<LabelSetPredictions> = {},
): LabelSetPredictions {
  const labels = more.labels ?? Object.keys(examples[0].shares);
  const parts = examples.map(({ truth, shares }) =>
    labels.flatMap((name, label) => {
      const [isTrue, isPredicted] = [truth.includes(name), shares[name] > 0.5];
      const found = isTrue ? (isPredicted ? ANSWER_FOUND : ANSWER_MISSED) : ANSWER_SPURIOUS;
      return isTrue || isPredicted ? [{ label, found, probability: shares[name] }] : [];
    }),
  );
  const rows = examples.map(({ tokens = 8, cut = false }, i) => {
    const wrong = parts[i].filter((p) => p.found !== ANSWER_FOUND).length;
    return { line: i + 1, loss: wrong + i / 1000, margin: 1 / (2 + wrong + i), tokens, cut: Number(cut) };
  });
  const sets = parts.flatMap((all, example) => all.map((p) => ({ example, ...p })));
  return {
    ...FACTS,
    answer: 'labels',
    labels,
    metrics: {
      loss: 0.21,
      microF1: 0.75,
      macroF1: 0.7,
      meanAveragePrecision: 0.81,
      examples: examples.length,
    },
    columns: commonColumns(listsOf(rows, ['line', 'loss', 'margin', 'tokens', 'cut'])),
    sets: labelSetColumns(listsOf(sets, ['example', 'label', 'found', 'probability'])),
    ...more,
  };
}

const FACTS = {
  step: 120,
  form: 'dynamic',
  data: { file: '/data/validation.jsonl', sha256: 'ab' },
  excerpts: [],
} satisfies Partial<PredictionFacts>;

const SIGNS: Record<string, number> = { '=': ANSWER_FOUND, '-': ANSWER_MISSED, '+': ANSWER_SPURIOUS };

/** Brackets may be nested, where a true span overlaps a predicted one. */
function readSpans(marked: string) {
  const spans: { start: number; end: number; label: number; found: number }[] = [];
  const open: { start: number; found: number }[] = [];
  let text = '';
  for (const [part] of marked.matchAll(/[-+=]\[| [A-Z]+\]|[^]/g))
    if (part.length === 2 && part[1] === '[') open.push({ start: text.length, found: SIGNS[part[0]] });
    else if (part.length > 2) {
      const label = SPAN_LABELS.indexOf(part.slice(1, -1));
      spans.push({ ...open.pop()!, end: text.length, label });
    } else text += part;
  return { text, spans };
}

const listsOf = (
  rows: readonly Record<string, number>[],
  names: readonly string[],
): Record<string, number[]> => Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name])]));
