import type { Tokenizer } from './tokenizer';

/** Words as one input. */
export interface WordsEncoding {
  ids: number[];
  typeIds?: number[];
  /** For each word, the position of its first token; -1 if the word was cut, or the tokenizer leaves nothing of it. */
  first: Int32Array;
  truncated: boolean;
}

/**
 * Encodes words one by one, as Hugging Face does with is_split_into_words, and adds the special tokens of a single
 * text. At most `maxLength` tokens: words at the end are cut.
 */
export function encodeWords(
  { encodePart, special }: Pick<Tokenizer, 'encodePart' | 'special'>,
  words: readonly string[],
  maxLength: number,
): WordsEncoding {
  const { before, after, typeId } = special(maxLength);
  const room = maxLength - before.length - after.length;
  const parts: number[] = [];
  let truncated = false;
  const first = Int32Array.from(words, (word) => {
    const ids = parts.length < room ? encodePart(word) : undefined;
    const start = parts.length;
    for (const id of ids ?? []) if (parts.length < room) parts.push(id);
    truncated ||= ids === undefined || start + ids.length > room;
    return ids === undefined || ids.length === 0 ? -1 : before.length + start;
  });
  const typeIds = typeId === undefined ? undefined : new Array<number>(parts.length).fill(typeId);
  return {
    ids: parts.length === 0 ? [] : [...before.map((t) => t.id), ...parts, ...after.map((t) => t.id)],
    ...(typeIds && {
      typeIds: [...before.map((t) => t.typeId!), ...typeIds, ...after.map((t) => t.typeId!)],
    }),
    first,
    truncated,
  };
}

/**
 * Splits a text into words as treebanks do: a run of letters and digits, a number with its separators, or any other
 * single character with its marks. Spans are in UTF-16 units.
 */
export const wordsIn = (text: string): { word: string; start: number; end: number }[] =>
  Array.from(text.matchAll(/[\p{L}\p{M}\p{N}_]+(?:[.,]\p{N}+|['’]\p{L}+)*|[^\s]\p{M}*/gu), (m) => ({
    word: m[0],
    start: m.index,
    end: m.index + m[0].length,
  }));
