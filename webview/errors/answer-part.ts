import { t } from '../../src/base/l10n';
import { count, cautiousPercent } from '../../src/base/number-text';
import type { List, Order } from '../../src/protocol/answers/examples';
import type { Cell } from './confusion-matrix';
import type { Model, Ui } from './errors-model';
import { rightMeasures, type Measures } from './slice-table';

/** A kind of answer on this page: computes once what depends on it. */
export type ShowAnswers<A> = (model: Model, answers: A) => AnswersPart;

export type AnswersPart = (state: PartState, act: PartActions) => AnswerPart;

/** The part of the page that depends on the kind of answer, in one state of the page. */
export interface AnswerPart {
  /** Sentences of the summary, and what is worst. */
  told: string;
  worst?: unknown;
  /** May take the whole width. */
  wide?: unknown;
  /** No wider than the table by length, beside which it stands. */
  table?: unknown;
  /** The columns of the table by length. */
  lengths: Measures;
  /** The names of the list's orders. */
  orders: Partial<Record<Order, string>>;
  /** Says which texts are stored, if not all of them. */
  stored: string;
  /** The filter by answer; undefined without one. */
  suits?(example: number): boolean;
  /** Texts of an example besides its excerpt, in which words are found. */
  texts?(example: number): readonly string[];
  chips?: { text: string; change: Partial<Ui> }[];
  examples: ExampleCells;
  /** The columns about the answer in a spreadsheet. */
  csv: { names: readonly string[]; cells(example: number): (string | number)[] };
}

/** A row's cells before those of tokens, line and text. */
export interface ExampleCells {
  heads: unknown;
  cells(example: number): unknown;
  /** The excerpt in the last cell, with marks. */
  text?(example: number, excerpt: string): unknown;
  /** Explains the marks in the texts. */
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

/** The part of the page that all answers have that are right or wrong. */
export const rightOrWrong = (model: Model) => ({
  told: howManyRight(model),
  lengths: rightMeasures(model.byLength),
  orders: { loss: t('Largest loss first'), margin: t('Narrowest margin first') },
  stored: t(
    'Of {0} examples, the {1} most informative ones are stored with the predictions: wrong ones by largest loss, then right ones by narrowest margin.',
    count(model.examples),
    count(model.texts.size),
  ),
});

const howManyRight = ({ examples, right }: Model): string =>
  right === examples
    ? t('The model gets all {0} examples right.', count(examples))
    : t(
        'The model gets {0} of {1} examples right ({2}), and {3} wrong.',
        count(right),
        count(examples),
        cautiousPercent(right / examples),
        count(examples - right),
      );
