import type { Example } from '../data/dataset';
import type { DataSplit } from './task-data';

/** float32's precision; keeps the file short. */
const DIGITS = 6;
export const rounded = (value: number): number => Number(value.toPrecision(DIGITS));

/** The columns that do not depend on the answer. */
export const exampleColumns = <E extends Example>({ rows, dataset: { examples } }: DataSplit<E>) => ({
  line: examples.map((e) => rows[e.row].line),
  tokens: examples.map((e) => e.size),
  cut: examples.map((e) => Number(e.truncated ?? false)),
});

/** By how much the most likely class is ahead of the next. */
export const marginOf = (shares: Float64Array, best: number): number =>
  shares[best] - shares.reduce((most, p, c) => (c === best ? most : Math.max(most, p)), 0);
