import { answeredOf, type Example } from '../../data/dataset';
import { lineOf } from '../../data/table/rows';
import type { DataSplit } from '../task-data';

/** float32's precision; keeps the file short. */
const DIGITS = 6;
export const rounded = (value: number): number => Number(value.toPrecision(DIGITS));

/** The columns that do not depend on the answer. */
export function exampleColumns<E extends Example>({ rows, dataset: { examples } }: DataSplit<E>) {
  const all = Array.from(answeredOf(examples), ({ row, size, truncated = false }) => ({
    line: lineOf(rows, row),
    size,
    cut: Number(truncated),
  }));
  return { line: all.map((e) => e.line), tokens: all.map((e) => e.size), cut: all.map((e) => e.cut) };
}

/** The lead of the most likely class over the next. */
export const marginOf = (shares: Float64Array, best: number): number =>
  shares[best] - shares.reduce((most, p, c) => (c === best ? most : Math.max(most, p)), 0);
