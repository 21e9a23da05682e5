import { AuroraError } from '../base/errors';
import { makeInputs } from '../data/batch';
import { encodeRow, type TextDataset, type Texts } from '../data/dataset';
import type { Tokenizer } from '../data/text/tokenizer';
import type { InputShape } from '../experiment/tasks/kind';
import type { ValueInfo } from '../graph/model';
import type { HostTensors } from '../graph/tensor-infos';
import type { PlayImage } from '../protocol/play-question';
import type { Input } from '../tasks/kind';
import type { Question } from './subject';

/** A text as a data set of one example. */
export interface ReadText {
  dataset: TextDataset;
  tokens: number;
  truncated: boolean;
}

/** Tokens in a session's warm-up run; some models could not take more. */
const WARM_UP_TOKENS = 8;

/** Any model reads it. */
export const WARM_UP: Input = { text: 'a a a a', choices: ['a', 'a'] };

/** @throws AuroraError 'usage' if it is an image */
export function questionTexts({ text, pair, choices }: Question): Input {
  if (text === undefined)
    throw new AuroraError('usage', 'This model reads texts, not images.', 'Type a text instead.');
  return { text, pair, choices };
}

/** @throws AuroraError 'usage' if a second text is missing, or not read */
export function requireTexts(input: InputShape, { pair }: Texts): void {
  if ((input === 'pair') === (pair !== undefined)) return;
  throw new AuroraError(
    'usage',
    input === 'pair' ? 'This model reads pairs of texts.' : 'This model reads one text, not a pair.',
    input === 'pair' ? 'Add the second text; in a terminal, after a tab.' : 'Remove the second text.',
  );
}

/** @throws AuroraError if it is an image, or no tokens remain of the text */
export function readText(question: Question, tokenizer: Tokenizer, maxLength: number): ReadText {
  const { ids, typeIds, truncated } = encodeRow(tokenizer, questionTexts(question), maxLength);
  if (ids.length === 0)
    throw new AuroraError('data', 'The tokenizer produces no tokens for this text.', 'Type some words.');
  return { dataset: oneText(ids, tokenizer.padId, typeIds), tokens: ids.length, truncated };
}

export const oneText = (ids: readonly number[], padId: number, typeIds?: readonly number[]): TextDataset => ({
  examples: [
    {
      size: ids.length,
      ids: Int32Array.from(ids),
      ...(typeIds && { typeIds: Int32Array.from(typeIds) }),
      row: 0,
    },
  ],
  truncatedCount: 0,
  padId,
  skipped: [],
});

/** The inputs of a model for one text. */
export const textInputs = (dataset: TextDataset, inputs: readonly ValueInfo[]): HostTensors =>
  makeInputs(dataset, [0], inputs);

export const warmUpText = (padId: number): TextDataset =>
  oneText(new Array<number>(WARM_UP_TOKENS).fill(padId), padId);

/** @throws AuroraError 'usage' if the question is a text */
export function requireImage({ image }: Question): PlayImage {
  if (image) return image;
  throw new AuroraError('usage', 'This model reads images, not texts.', 'Choose an image instead.');
}

/** An image for a session's warm-up run. */
export const black = ({ width, height }: { width: number; height: number }): PlayImage => ({
  width,
  height,
  rgba: Buffer.alloc(4 * width * height).toString('base64'),
});
