import { textsOf, type Row, type MarkedFormat } from './rows';
import { flagOf } from '../../table/flags';
import type { Fields } from '../../table/records';

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
    if (flag === undefined) return { problem: `"${column}" is ${JSON.stringify(value)}, not 0 or 1` };
    if (flag) labels.push(column);
  }
  return { labels };
}
