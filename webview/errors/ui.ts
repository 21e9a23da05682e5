import type { List, Order } from '../../src/protocol/errors-view/choice';

/** The state of the page, as it is restored after a reload. */
export interface Ui {
  list: List;
  order: Order;
  /** An index into the length bins. */
  bin: number;
  search: string;
  page: number;
  /** Filters by the answer: a label, or the type of a span; the predicted label; or what became of it (ANSWER_MISSED …). */
  label: number;
  predicted: number;
  found: number;
  /** An index into the bins of the true numbers. */
  value: number;
  /** Whether the table by label or type is shown to its end. */
  allLabels: boolean;
}

/** The filters, without any of them. */
export const NO_FILTERS = {
  label: undefined,
  predicted: undefined,
  found: undefined,
  value: undefined,
  bin: undefined,
  search: '',
} satisfies { [key in keyof Ui]?: Ui[key] | undefined };
