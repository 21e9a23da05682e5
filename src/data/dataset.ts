import type { DataSpec } from '../experiment/experiment';
import { labelIndex } from './labels';
import { badRow, requireRows, type Row, type SkippedRow } from './table/rows';
import type { Tokenizer } from './text/tokenizer';

export interface Example {
  /** How much of a batch it takes, in tokens; a batch is padded to its largest example. */
  size: number;
  ids: Int32Array;
  typeIds?: Int32Array;
  /** Class index. */
  label: number;
  /** Index into the rows that were tokenized. */
  row: number;
  /** The text was longer than the longest input. */
  truncated?: true;
}

export interface Dataset {
  examples: Example[];
  /** Examples whose text was cut to the longest input. */
  truncatedCount: number;
  padId: number;
  skipped: SkippedRow[];
}

export interface TokenizeOptions {
  /** The file the rows are from, for messages. */
  path: string;
  labels: readonly string[];
  maxLength: number;
  onBadRow: DataSpec['onBadRow'];
}

/** Every row as token ids. A text that leaves no token at all is a bad row; its label must be among `labels`. */
export function tokenizeAll(rows: readonly Row[], tokenizer: Tokenizer, options: TokenizeOptions): Dataset {
  const classes = labelIndex(options.labels);
  const dataset: Dataset = { examples: [], truncatedCount: 0, padId: tokenizer.padId, skipped: [] };
  rows.forEach(({ text, label, line }, row) => {
    const { ids, typeIds, truncated } = tokenizer.encode(text, options.maxLength);
    if (ids.length === 0) {
      badRow(
        options.path,
        { line, reason: 'the tokenizer leaves nothing of the text' },
        options.onBadRow,
        dataset.skipped,
      );
      return;
    }
    dataset.examples.push({
      size: ids.length,
      ids: Int32Array.from(ids),
      ...(typeIds && { typeIds: Int32Array.from(typeIds) }),
      label: classes.get(label)!,
      row,
      ...(truncated && { truncated }),
    });
    if (truncated) dataset.truncatedCount++;
  });
  requireRows(options.path, dataset.examples.length, dataset.skipped);
  return dataset;
}
