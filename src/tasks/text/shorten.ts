import type { Tokenizer } from '../../data/text/tokenizer';

/**
 * How too long a text becomes short enough: it loses its beginning, as in lm-evaluation-harness, but not a special token
 * that begins every text.
 *
 * @param ids of the text
 * @returns how many tokens it loses, and what is left of a list with an item for each token
 */
export function shorten(ids: readonly number[], length: number, { specialIds }: Tokenizer) {
  const over = Math.max(0, ids.length - length);
  const kept = over > 0 && specialIds.has(ids[0]) ? 1 : 0;
  const left = <T>(all: readonly T[]): T[] => [...all.slice(0, kept), ...all.slice(kept + over)];
  return { over, left };
}
