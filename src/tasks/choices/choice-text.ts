import type { ChoiceRow } from '../../data/table/choice-rows';
import type { Tokenizer } from '../../data/text/tokenizer';
import { isGenerated, type Scoring } from '../../experiment/scoring';
import { answered, type ChoiceFormat, type Question } from './choice-format';
import { choiceWriting } from './choice-writing';
import { contentSpan } from '../text/assistant-spans';
import { common, countedTokens, type LanguageText } from '../text/language-text';
import { IGNORE_LABEL } from '../objective';
import { shorten } from '../text/shorten';
import type { Writing } from '../writing';

/** A question with its right answer, from which the model learns, and the settings to ask it. */
export interface ChoiceText extends LanguageText {
  choices: readonly string[];
  /** The number of choices it has. */
  offered: number;
  /** The index of the right one. */
  answer: number;
  scoring: Scoring;
  /**
   * The question with each choice as its answer or, where the model writes the answer, with the right one alone. Made
   * when they are first asked for, since training needs none.
   */
  sequences(): readonly ChoiceSequence[];
  /** The writing of the answer, if the model is scored by that. */
  writing?(): Writing;
}

/** A question with one answer, right or wrong. Only a right one counts in the loss. */
export interface ChoiceSequence extends LanguageText {
  /** The tokens of the answer, without those that end it. */
  from: number;
  to: number;
  /** True if all of the answer is there, after something that it answers. */
  fits: boolean;
}

/** @returns an example of size 0 if its answer does not fit into the longest input */
export function choiceText(
  tokenizer: Tokenizer,
  row: Question & Pick<ChoiceRow, 'answer'>,
  format: ChoiceFormat,
  index: number,
): ChoiceText {
  const { choices, answer } = row;
  const { scoring } = format;
  const sequence = (choice: string, isRight: boolean) =>
    sequenceOf(tokenizer, row, choice, format, isRight, index);
  const right = sequence(choices[answer], true);
  const { ids, targets, size, truncated, fits } = right;
  let made: readonly ChoiceSequence[] | undefined;
  return {
    size: fits ? size : 0,
    ids,
    targets,
    row: index,
    ...(truncated && { truncated }),
    choices,
    offered: choices.length,
    answer,
    scoring,
    sequences: () =>
      (made ??= isGenerated(scoring)
        ? [right]
        : choices.map((choice, i) => (i === answer ? right : sequence(choice, false)))),
    ...(isGenerated(scoring) && { writing: () => choiceWriting(tokenizer, row, format, right) }),
  };
}

function sequenceOf(
  tokenizer: Tokenizer,
  question: Question,
  choice: string,
  format: ChoiceFormat,
  isRight: boolean,
  row: number,
): ChoiceSequence {
  const { maxLength, lossOn } = format;
  const written = answered(question, choice, format);
  const { ids: whole, counts } = countedTokens(tokenizer, written, Infinity);
  const { over, left } = shorten(whole, maxLength, tokenizer);
  const ids = Int32Array.from(left(whole));
  const counted = left(counts);
  const from = counts.indexOf(true) - over;
  const counting = (i: number) => i > 0 && (lossOn === 'everything' || counted[i]);
  return {
    size: ids.length,
    ids,
    targets: ids.map((id, i) => (isRight && counting(i) ? id : IGNORE_LABEL)),
    row,
    ...(over > 0 && { truncated: true as const }),
    from: Math.max(1, from),
    to: Math.max(1, answerEnd(tokenizer, written, whole) - over),
    fits: from >= 1,
  };
}

/** The end of the answer, where the ending of every answer begins. */
function answerEnd(
  tokenizer: Tokenizer,
  { messages }: ReturnType<typeof answered>,
  ids: readonly number[],
): number {
  if (!messages) return ids.at(-1) === tokenizer.endId ? ids.length - 1 : ids.length;
  const end = contentSpan(tokenizer.chat!, messages, 1, false)?.[1] ?? 0;
  const written = tokenizer.chat!(messages, false).text.slice(0, end);
  return common(tokenizer.encodeBare(written), ids);
}
