import { jsonText } from '../../base/json-text';
import { numberIn } from '../../base/csv';
import { flagOf } from '../../table/flags';
import type { Fields } from '../../table/records';
import {
  LABELED_TEXTS,
  labeledTexts,
  type MarkedFormat,
  type ReadOptions,
  type Row,
  type RowFormat,
  textsOf,
} from './rows';

/** A text, or a pair of texts, with any number of labels; `label` is all of them. */
export interface LabelSetRow extends Row {
  labels: string[];
}

/** Texts of a data file with their labels: a list, a field with separators, or a column of 0 and 1 for each label. */
export const labelSetRows: MarkedFormat<LabelSetRow> = {
  required: ({ labelColumns }) => [
    'textColumn',
    'textPairColumn',
    labelColumns ? 'labelColumns' : 'labelColumn',
  ],
  rowOf(fields, options) {
    const texts = textsOf(fields, options);
    if ('problem' in texts) return texts;
    const found = options.labelColumns
      ? flagged(fields, options.labelColumns)
      : listed(fields, options.labelColumn!, options.labelSeparator ?? COMMA);
    return 'problem' in found ? found : { ...texts, ...labelSet([...new Set(found.labels)]) };
  },
  marks: ({ labels }) => labels,
  marked: (marks) => ({ text: '', ...labelSet(marks) }),
};

const labelSet = (labels: readonly string[]) => ({ labels: [...labels], label: labels.join(', ') });

const COMMA = ',';

type Found = { labels: string[] } | { problem: string };

function listed(fields: Fields, column: string, separator: string): Found {
  const value = fields.get(column);
  if (value === undefined || value === null) return { problem: `no "${column}"` };
  if (!Array.isArray(value))
    return typeof value === 'string' || typeof value === 'number'
      ? { labels: trimmed(String(value).split(separator)) }
      : { problem: `"${column}" is neither a list nor a string` };
  const at = value.findIndex((v) => typeof v !== 'string' && typeof v !== 'number');
  return at < 0
    ? { labels: trimmed(value.map(String)) }
    : { problem: `item ${at + 1} of "${column}" is not a string or number` };
}

const trimmed = (labels: readonly string[]): string[] =>
  labels.map((label) => label.trim()).filter((label) => label !== '');

function flagged(fields: Fields, columns: readonly string[]): Found {
  const labels: string[] = [];
  for (const column of columns) {
    const value = fields.get(column);
    if (value === undefined || value === null) return { problem: `no "${column}"` };
    const flag = flagOf(value);
    if (flag === undefined) return { problem: `"${column}" is ${jsonText(value)}, not 0 or 1` };
    if (flag) labels.push(column);
  }
  return { labels };
}

/** A sentence, word by word. `text` is its words with spaces between them, `label` its tags. */
export interface TaggedRow extends Row {
  words: string[];
  tags: string[];
}

/** Words and tags of a data file: as lists, or as strings with spaces between them. */
export const taggedRows: RowFormat<TaggedRow> = {
  required: () => ['textColumn', 'labelColumn'],
  rowOf: taggedRow,
};

function taggedRow(
  fields: Fields,
  { textColumn, labelColumn }: ReadOptions,
): Omit<TaggedRow, 'line'> | { problem: string } {
  const words = listOf(fields, textColumn!);
  if ('problem' in words) return words;
  const tags = listOf(fields, labelColumn!);
  if ('problem' in tags) return tags;
  if (words.values.length !== tags.values.length)
    return {
      problem: `${words.values.length} words in "${textColumn}" and ${tags.values.length} tags in "${labelColumn}"`,
    };
  return {
    words: words.values,
    tags: tags.values,
    text: words.values.join(' '),
    label: tags.values.join(' '),
  };
}

function listOf(fields: Fields, column: string): { values: string[] } | { problem: string } {
  const value = fields.get(column);
  if (value === undefined || value === null) return { problem: `no "${column}"` };
  const list: unknown[] | undefined = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split(/\s+/).filter(Boolean)
      : undefined;
  if (!list) return { problem: `"${column}" is not a list` };
  if (list.length === 0) return { problem: `"${column}" is empty` };
  const at = list.findIndex(
    (v) => (typeof v !== 'string' && typeof v !== 'number') || String(v).trim() === '',
  );
  return at < 0
    ? { values: list.map(String) }
    : { problem: `item ${at + 1} of "${column}" is not a string or number` };
}

/** A text, or a pair of texts, with a number. `label` is the number as the file has it. */
export interface NumberRow extends Row {
  value: number;
}

/** Texts and numbers of a data file. */
export const numberRows: MarkedFormat<NumberRow> = {
  required: () => LABELED_TEXTS,
  rowOf(fields, options) {
    const row = labeledTexts(fields, options);
    if ('problem' in row) return row;
    const value = numberIn(row.label);
    if (value !== undefined) return { ...row, value };
    return { problem: `"${options.labelColumn}" is ${JSON.stringify(row.label)}, not a number` };
  },
  marks: ({ label }) => [label],
  marked: ([label]) => ({ text: '', label, value: numberIn(label)! }),
};
