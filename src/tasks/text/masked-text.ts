import { AuroraError } from '../../base/errors';
import { permutation, Stream, uniform } from '../../base/random';
import { encodeRow, type TextExample, textExample, type TrainingPass } from '../../data/dataset';
import type { Tokenizer } from '../../data/text/tokenizer';
import { LIKELIEST, type PlayToken } from '../../protocol/answers/tokens';
import type { Asked, Input } from '../kind';
import { IGNORE_LABEL } from '../objective';
import { softmax } from '../softmax';
import { requireTokens } from './shown-text';

/** A text in which the model is to predict some tokens; `ids` are the tokens that it reads in their places. */
export interface MaskedText extends TextExample {
  /** The text's own tokens. */
  whole: Int32Array;
  /** A target for each of `ids`: the text's own token, or IGNORE_LABEL where it is not to be predicted. */
  targets: Int32Array;
  masking: Masking;
}

/** The tokenizer's part in masking. */
export interface Masking {
  maskId: number;
  specialIds: ReadonlySet<number>;
  /** All tokens but the special ones, from which replacements are drawn. */
  ordinaryIds: readonly number[];
}

/** Share of a text's tokens that are predicted, and at least one. */
const SHARE = 0.15;
/** The shares of these tokens that are read as the mask token, and as any other; the rest are read as they are. */
const MASKED = 0.8;
const REPLACED = 0.1;

/** @throws AuroraError 'tokenizer' without a mask token */
export function maskingOf({ path, maskId, specialIds, ordinaryIds }: Tokenizer): Masking {
  if (maskId === undefined)
    throw new AuroraError(
      'tokenizer',
      `${path} has no mask token, so tokens cannot be masked.`,
      'Use a model that was trained with one, such as BERT, or name it as mask_token in tokenizer_config.json.',
    );
  return { maskId, specialIds, ordinaryIds: ordinaryIds() };
}

/**
 * A text as an evaluation reads it: masked in the same places each time.
 *
 * @param example an untouched text, which becomes one of size 0 if nothing in it can be predicted
 */
export function maskedText(example: TextExample, masking: Masking, seed: number): MaskedText {
  const targets = new Int32Array(example.size).fill(IGNORE_LABEL);
  const text = { ...example, whole: example.ids, targets, masking };
  return places(text).length === 0
    ? { ...text, size: 0, ids: new Int32Array(0) }
    : drawn(text, seed, Stream.masking, 0, example.row);
}

/** Texts as a pass of training reads them, each masked in other places in each epoch; in an evaluation, as they are. */
export const inPass = (texts: readonly MaskedText[], pass: TrainingPass | undefined): MaskedText[] =>
  pass ? texts.map((text) => drawn(text, pass.seed, Stream.masking, 1 + pass.epoch, text.row)) : [...texts];

/** Positions of tokens that can be predicted. */
const places = ({ whole, masking }: MaskedText): number[] =>
  [...whole.keys()].filter((at) => !masking.specialIds.has(whole[at]));

/**
 * Draws the tokens of a text as BERT does (Devlin et al., 2019, section 3.1; create_masked_lm_predictions in its
 * repository): a fixed share of the tokens, drawn without replacement, so that an example counts the same in every
 * epoch.
 */
function drawn(text: MaskedText, seed: number, ...keys: number[]): MaskedText {
  const { whole, masking } = text;
  const possible = places(text);
  const count = Math.max(1, Math.round(SHARE * possible.length));
  const ids = whole.slice();
  const targets = new Int32Array(whole.length).fill(IGNORE_LABEL);
  for (const place of permutation(possible.length, seed, ...keys).slice(0, count)) {
    const at = possible[place];
    targets[at] = whole[at];
    const how = uniform(seed, ...keys, at, 1);
    if (how < MASKED) ids[at] = masking.maskId;
    else if (how < MASKED + REPLACED) {
      const other = Math.floor(uniform(seed, ...keys, at, 2) * masking.ordinaryIds.length);
      ids[at] = masking.ordinaryIds[other];
    }
  }
  return { ...text, ids, targets };
}

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
