import type { Encoding } from './tokenizer';

/** A place in the tokenizer's format for two texts: a special token, or the text 0 or 1. */
export type PairPart = { typeId: number } & ({ id: number } | { text: number });

/**
 * The number of tokens of each text that are kept: the longer text loses tokens until both are equal, then both lose.
 * The odd token goes to the text that was longer; of equal ones, to the second (tokenizers,
 * TruncationStrategy::LongestFirst, up to 0.23.0, as transformers has it; from 0.23.1 on it stops reading early, so
 * that either text may get the odd token).
 */
export function longestFirst(first: number, second: number, room: number): [number, number] {
  const swap = first > second;
  let [shorter, longer] = swap ? [second, first] : [first, second];
  longer = shorter > room ? shorter : Math.min(longer, Math.max(shorter, room - shorter));
  if (shorter + longer > room) {
    shorter = Math.floor(room / 2);
    longer = room - shorter;
  }
  return swap ? [longer, shorter] : [shorter, longer];
}

/**
 * Two texts in a tokenizer's format.
 *
 * @param texts the ids of each, without special tokens
 * @param room the number of tokens of both that fit
 * @param left true if the beginnings are dropped
 */
export function joinPair(
  parts: readonly PairPart[],
  texts: readonly (readonly number[])[],
  room: number,
  left: boolean,
): Encoding {
  const kept = longestFirst(texts[0].length, texts[1].length, room);
  const ids: number[] = [];
  const typeIds: number[] = [];
  for (const part of parts) {
    const found = 'id' in part ? [part.id] : cut(texts[part.text], kept[part.text], left);
    for (const id of found) {
      ids.push(id);
      typeIds.push(part.typeId);
    }
  }
  return { ids, typeIds, truncated: texts.some((t, i) => kept[i] < t.length) };
}

const cut = (ids: readonly number[], kept: number, left: boolean): readonly number[] =>
  left ? ids.slice(ids.length - kept) : ids.slice(0, kept);
