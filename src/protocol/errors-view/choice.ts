import type { Columns } from '../predictions';
import type { LengthBin } from './slices';
import { isWrong } from './telling';

export const LISTS = ['wrong', 'unsure', 'text'] as const;
/** The wrong examples, all of them by the model's confidence, or those whose text is stored. */
export type List = (typeof LISTS)[number];

export const ORDERS = ['loss', 'margin'] as const;
/** Greatest loss first, or smallest margin first. */
export type Order = (typeof ORDERS)[number];

/** The filter for examples. */
export interface Choice {
  list: List;
  order: Order;
  /** The true label and the predicted one. */
  label?: number;
  predicted?: number;
  bin?: LengthBin;
  /** Words to find in the text; an example without text has none. */
  search?: string;
}

/** @param texts by example */
export function chosen(columns: Columns, texts: ReadonlyMap<number, string>, choice: Choice): number[] {
  const { label, predicted, tokens, loss, margin } = columns;
  const { list, order, bin } = choice;
  const wanted = choice.search?.trim().toLowerCase() ?? '';
  const suits = (i: number) =>
    (list !== 'wrong' || isWrong(columns, i)) &&
    (list !== 'text' || texts.has(i)) &&
    (choice.label === undefined || label[i] === choice.label) &&
    (choice.predicted === undefined || predicted[i] === choice.predicted) &&
    (!bin || (tokens[i] >= bin.from && tokens[i] <= bin.to)) &&
    (wanted === '' || (texts.get(i)?.toLowerCase().includes(wanted) ?? false));
  const found = [...label.keys()].filter(suits);
  return found.sort(order === 'loss' ? (a, b) => loss[b] - loss[a] : (a, b) => margin[a] - margin[b]);
}
