import { numberIn } from '../../base/number-in';
import { LABELED_TEXTS, labeledTexts, type Row, type MarkedFormat } from './rows';

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
