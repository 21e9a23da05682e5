import type { List, Order } from '../../src/protocol/errors-view/choice';
import type { Cell } from './labels/matrix-keys';
import type { Measures } from './measures';
import type { Ui } from './ui';

/** What the page shows by the shape of the answer. */
export interface AnswerPart {
  /** Sentences of the summary, and what is worst. */
  told: string;
  worst: unknown;
  /** What may take all the width, and what is no wider than the table by length, beside which it stands. */
  wide: unknown;
  table: unknown;
  /** The columns of the table by length. */
  lengths: Measures;
  /** How the list can be sorted. */
  orders: Partial<Record<Order, string>>;
  /** Which texts are stored, if not all of them. */
  stored: string;
  /** The filter by answer; undefined without one. */
  suits?(example: number): boolean;
  chips: { text: string; change: Partial<Ui> }[];
  examples: ExampleCells;
  csv(examples: readonly number[]): string;
}

/** A row's cells before those of tokens, line and text, and what is in the last one. */
export interface ExampleCells {
  heads: unknown;
  cells(example: number): unknown;
  text(example: number, excerpt: string): unknown;
  /** What the marks in the texts mean. */
  legend?: unknown;
}

export interface PartState {
  ui: Partial<Ui>;
  list: List;
  /** The matrix's cell in the tab order. */
  cell: Cell;
}

export interface PartActions {
  /** A filter that is released. */
  choose(change: Partial<Ui>): void;
  /** A filter that is chosen above the list. */
  filter(change: Partial<Ui>): void;
  /** Anything else. */
  keep(change: Partial<Ui>): void;
  move(cell: Cell): void;
}

/** The list for examples that may be right: there are none of them among the wrong ones. */
export const listWithRight = (list: List): Partial<Ui> =>
  list === 'wrong' ? { list: 'unsure', order: undefined } : { list };
