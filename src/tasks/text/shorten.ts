import type { Tokenizer } from '../../data/text/tokenizer';

/**
 * Shortens a text that is too long: it loses its beginning, as in lm-evaluation-harness, but not a special token that
 * begins every text.
 *
 * @param ids of the text
 * @returns the number of tokens that it loses, and a function that shortens a list with an item for each token
 */
export function shorten(ids: readonly number[], length: number, { specialIds }: Tokenizer) {
  const over = Math.max(0, ids.length - length);
  const kept = over > 0 && specialIds.has(ids[0]) ? 1 : 0;
  const left = <T>(all: readonly T[]): T[] => [...all.slice(0, kept), ...all.slice(kept + over)];
  return { over, left };
}
