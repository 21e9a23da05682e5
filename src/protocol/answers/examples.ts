import type { Excerpt } from '../predictions';
import type { Columns } from './answer-kind';
import { isGraded, type Answers } from './kinds';
import type { LengthBin } from './slices';

/** The wrong examples, all of them by the model's confidence, all of them, or those whose text is stored. */
export type List = 'wrong' | 'unsure' | 'all' | 'text';

/** Graded answers are never wrong; neither they nor written texts have a confidence. */
export function listsOf(answer: Answers['answer']): readonly List[] {
  if (isGraded(answer)) return ['all', 'text'];
  return answer === 'written' ? ['wrong', 'all', 'text'] : ['wrong', 'unsure', 'text'];
}

/** Greatest loss first, or smallest margin first. */
export type Order = 'loss' | 'margin';

/** The filter for examples. */
export interface Choice {
  list: List;
  order: Order;
  /** A property of its answer. */
  answer?: (example: number) => boolean;
  bin?: LengthBin;
  /** Words to find in the text; an example without text has none. */
  search?: string;
  /** Other texts of an example to find them in. */
  texts?: (example: number) => readonly string[];
}

/**
 * @param wrong 1 for each wrong example
 * @param texts by example
 */
export function chosen(
  { tokens, loss, margin }: Columns,
  wrong: Uint8Array,
  texts: ReadonlyMap<number, Excerpt>,
  choice: Choice,
): number[] {
  const { list, order, bin } = choice;
  const wanted = choice.search?.trim().toLowerCase() ?? '';
  const suits = (i: number) =>
    (list !== 'wrong' || wrong[i] === 1) &&
    (list !== 'text' || texts.has(i)) &&
    (choice.answer?.(i) ?? true) &&
    (!bin || (tokens[i] >= bin.from && tokens[i] <= bin.to)) &&
    (wanted === '' || holds([...wordsOf(texts.get(i)), ...(choice.texts?.(i) ?? [])], wanted));
  const found = [...tokens.keys()].filter(suits);
  return found.sort(order === 'loss' ? (a, b) => loss[b] - loss[a] : (a, b) => margin[a] - margin[b]);
}

/** @param words in lower case */
const holds = (texts: readonly (string | undefined)[], words: string): boolean =>
  texts.some((text) => text?.toLowerCase().includes(words));

const wordsOf = (excerpt: Excerpt | undefined) => [excerpt?.text, excerpt?.pair, ...(excerpt?.choices ?? [])];

/** Examples, most informative about the model first: wrong ones by loss, then right ones by margin; numbers by loss. */
export function tellingOrder({ loss, margin }: Columns, wrong: Uint8Array): number[] {
  const examples = [...wrong.keys()];
  return [
    ...examples.filter((i) => wrong[i] === 1).sort((a, b) => loss[b] - loss[a]),
    ...examples.filter((i) => wrong[i] === 0).sort((a, b) => margin[a] - margin[b] || loss[b] - loss[a]),
  ];
}
