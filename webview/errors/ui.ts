import type { List, Order } from '../../src/protocol/errors-view/choice';

/** The state of the page, as it is restored after a reload. */
export interface Ui {
  list: List;
  order: Order;
  /** An index into the length bins. */
  bin: number;
  search: string;
  page: number;
  /** Filters by the answer: those of a label. */
  label: number;
  predicted: number;
  /** Those of spans: a type, and what became of its spans (ANSWER_MISSED …). */
  type: number;
  found: number;
  /** Whether the table by label or type is shown to its end. */
  allLabels: boolean;
}

/** The filters, without any of them. */
export const NO_FILTERS = {
  label: undefined,
  predicted: undefined,
  type: undefined,
  found: undefined,
  bin: undefined,
  search: '',
} satisfies { [key in keyof Ui]?: Ui[key] | undefined };
