import { count, text, type Fields } from '../checks';
import {
  areColumns,
  arraysOf,
  byExample,
  COLUMNS,
  commonColumns,
  type AnswersInWords,
  type ParseAnswers,
  type WrongAnswers,
  type Columns,
  type ColumnsOf,
  type Lists,
} from './answer-kind';
import { foundEnds, foundWords, wrongParts } from './found';

/** For each span that is in the data, predicted, or both. */
export const SPAN_COLUMNS = {
  example: Uint32Array,
  /** In UTF-16 units of the example's text. */
  start: Uint32Array,
  end: Uint32Array,
  /** An index into `labels`. */
  label: Uint32Array,
  /** ANSWER_MISSED, ANSWER_SPURIOUS or ANSWER_FOUND. */
  found: Uint8Array,
} as const;
export type SpanColumns = ColumnsOf<typeof SPAN_COLUMNS>;
export const spanColumns = (lists: Lists): SpanColumns => arraysOf(SPAN_COLUMNS, lists);

export interface SpanAnswers {
  answer: 'spans';
  /** The possible labels of a span. */
  labels: string[];
  columns: Columns;
  /** The true and the predicted spans, by example. */
  spans: SpanColumns;
}

export const parseSpan: ParseAnswers<SpanAnswers> = ({ labels, columns, spans }) =>
  areColumns(columns, COLUMNS, {}, 1) &&
  areColumns(spans, SPAN_COLUMNS, foundEnds(columns.line.length, labels), 0)
    ? { answer: 'spans', labels, columns: commonColumns(columns), spans: spanColumns(spans) }
    : undefined;

export const spanWrong: WrongAnswers<SpanAnswers> = ({ spans, columns }) =>
  wrongParts(spans, columns.line.length);

export const spanWords: AnswersInWords<SpanAnswers> = (
  { spans: { example, label, start, end }, spans, labels },
  rows,
) => foundWords(spans, (k) => `${labels[label[k]]}: ${rows[example[k]].text.slice(start[k], end[k])}`);

/** A span of an example. */
export interface ExampleSpan {
  /** In UTF-16 units of the example's text. */
  start: number;
  end: number;
  /** An index into the labels. */
  label: number;
  /** ANSWER_MISSED, ANSWER_SPURIOUS or ANSWER_FOUND. */
  found: number;
}

/** The spans of each example that has any, in the order of its text. */
export function spansByExample(spans: SpanColumns): Map<number, ExampleSpan[]> {
  const { start, end, label, found } = spans;
  const all = byExample(spans.example, (i) => ({
    start: start[i],
    end: end[i],
    label: label[i],
    found: found[i],
  }));
  for (const list of all.values()) list.sort((a, b) => a.start - b.start || a.end - b.end);
  return all;
}

/** A labeled part of a text. */
export interface TextSpan {
  /** In UTF-16 units of the text; the end is exclusive. */
  start: number;
  end: number;
  label: string;
}

export interface PlaySpan extends TextSpan {
  probability: number;
}

/** A model's answer to one text. */
export interface LiveSpans {
  spans: PlaySpan[];
}

export const SPAN_FIELDS: Fields = { start: count, end: count, label: text };
