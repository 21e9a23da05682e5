import type { ReadOptions, Row, RowFormat } from './rows';
import type { Fields } from '../../table/records';

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
