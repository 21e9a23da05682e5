import { AuroraError } from '../../base/errors';
import { Stream, uniform } from '../../base/random';
import { encodeRow, textExample } from '../../data/dataset';
import type { Tokenizer } from '../../data/text/tokenizer';
import { LIKELIEST, type PlayToken } from '../../protocol/playground';
import { requireTokens } from './ask-text';
import type { Asked, Input } from '../kind';
import { maskingOf, type MaskedText } from './masked-text';
import { IGNORE_LABEL } from '../objective';
import { softmax } from '../softmax';

/**
 * A text in which a person has written mask tokens, and the likeliest tokens in their places.
 *
 * @throws AuroraError 'data' without a mask among the tokens that the model reads, 'tokenizer' without a mask token
 */
export function askMasks({ text }: Input, tokenizer: Tokenizer, maxLength: number): Asked<MaskedText> {
  const masking = maskingOf(tokenizer);
  const example = textExample(encodeRow(tokenizer, { text }, maxLength), 0);
  requireTokens(example);
  const places = [...example.ids.keys()].filter((at) => example.ids[at] === masking.maskId);
  if (places.length === 0)
    throw new AuroraError(
      'data',
      `The ${example.truncated ? `first ${maxLength} tokens of the ` : ''}text ${example.truncated ? 'have' : 'has'} no ${tokenizer.maskToken}.`,
      `Write ${tokenizer.maskToken} in the place of each token that the model is to predict.`,
    );
  const targets = new Int32Array(example.size).fill(IGNORE_LABEL);
  return {
    example: { ...example, whole: example.ids, targets, masking },
    answer(logits) {
      const vocabulary = logits.length / example.size;
      const at = (place: number) => logits.subarray(place * vocabulary, (place + 1) * vocabulary);
      return { masks: places.map((place) => likeliest(at(place), tokenizer)) };
    },
  };
}

/** Embeddings are often padded to a round number; those rows mean nothing. */
function likeliest(logits: Float32Array, { vocabSize, wordOf }: Tokenizer): PlayToken[] {
  const shares = softmax(logits.subarray(0, vocabSize));
  const ranked = [...shares.keys()].sort((a, b) => shares[b] - shares[a]);
  return ranked.slice(0, LIKELIEST).map((id) => ({ token: wordOf(id), probability: shares[id] }));
}

const WORD = /[\p{L}\p{N}]+/gu;

/** Words of a text that are tried before one of several tokens is hidden. */
const TRIES = 32;

/**
 * A text with one of its words hidden, chosen among those that the model reads: one that is a single token, if there is
 * any.
 */
export function withMask(
  text: string,
  tokenizer: Tokenizer,
  maxLength: number,
  seed: number,
  row: number,
): { text: string; hidden: string } {
  const { maskId } = maskingOf(tokenizer);
  // A word has at least one token.
  const words = [...text.matchAll(WORD)].slice(0, maxLength);
  const order = [...words.keys()].sort(
    (a, b) => uniform(seed, Stream.trials, row, a) - uniform(seed, Stream.trials, row, b),
  );
  let other: { text: string; hidden: string } | undefined;
  for (const at of order.slice(0, TRIES)) {
    const { 0: hidden, index } = words[at];
    const masked = text.slice(0, index) + tokenizer.maskToken + text.slice(index + hidden.length);
    if (!encodeRow(tokenizer, { text: masked }, maxLength).ids.includes(maskId)) continue;
    const made = { text: masked, hidden };
    if (tokenizer.encodePart(hidden).length === 1) return made;
    other ??= made;
  }
  return other ?? { text, hidden: '' };
}
