import { numberIn } from '../../base/number-in';
import { LABELED_TEXTS, labeledTexts, readRowsOf, type ReadOptions, type Row, type Rows } from './rows';

/** A text, or a pair of texts, with a number. `label` is the number as the file has it. */
export interface NumberRow extends Row {
  value: number;
}

/** Texts and numbers of a data file. */
export const readNumberRows = (path: string, options: ReadOptions): Promise<Rows<NumberRow>> =>
  readRowsOf(path, options, LABELED_TEXTS, (fields) => {
    const row = labeledTexts(fields, options);
    if ('problem' in row) return row;
    const value = numberIn(row.label);
    if (value !== undefined) return { ...row, value };
    return { problem: `"${options.labelColumn}" is ${JSON.stringify(row.label)}, not a number` };
  });
