import type { Tokenizer } from '../../data/text/tokenizer';
import { answered, type ChoiceFormat, type Question } from './choice-format';
import type { ChoiceSequence } from './choice-text';
import type { LanguageText } from '../text/language-text';
import { namedChoice } from './named-choice';
import { IGNORE_LABEL } from '../objective';
import { shorten } from '../text/shorten';
import type { Writing } from '../writing';

/** The limit of LLM-Adapters' commonsense_evaluate.py, whose 4 beams are used too. */
const MAX_TOKENS = 32;
const BEAMS = 4;
const INDENT = ' '.repeat(16);
const TEMPLATE = `Below is an instruction that describes a task. Write a response that appropriately completes the request. \n\n${INDENT}### Instruction:\n${INDENT}{text}\n\n${INDENT}### Response:\n${INDENT}`;

/** No choice, as a number. */
export const NONE = -1;

/**
 * The writing of an answer to a question. Where prompt and answer could be too long together, the prompt is shortened.
 *
 * @param right the question with its right answer, after which a text ends
 */
export function choiceWriting(
  tokenizer: Tokenizer,
  question: Question,
  format: ChoiceFormat,
  { ids, to }: ChoiceSequence,
): Writing {
  const isTheirs = format.scoring === 'llm-adapters';
  const { choices } = question;
  const maxTokens = Math.min(MAX_TOKENS, Math.floor(format.maxLength / 2));
  const prompt = promptTokens(tokenizer, question, isTheirs ? { ...format, template: TEMPLATE } : format);
  return {
    prompt: shorten(prompt, format.maxLength - maxTokens, tokenizer).left(prompt),
    maxTokens,
    beams: isTheirs ? BEAMS : 1,
    ends: new Set([tokenizer.endId, ids.at(to)].filter((id) => id !== undefined)),
    example: (tokens): LanguageText => ({
      size: tokens.length,
      ids: Int32Array.from(tokens),
      targets: new Int32Array(tokens.length).fill(IGNORE_LABEL),
      row: 0,
    }),
    keep: (tokens) => [namedChoice(tokenizer.decode(tokens), choices, !isTheirs) ?? NONE],
  };
}

/** A question up to where the answer begins. */
function promptTokens(tokenizer: Tokenizer, question: Question, format: ChoiceFormat): readonly number[] {
  const { text, messages } = answered(question, '', format);
  if (messages) return tokenizer.encodeBare(tokenizer.chat!(messages.slice(0, 1), true).text);
  const { ids } = tokenizer.encode(text, Infinity);
  return ids.at(-1) === tokenizer.endId ? ids.slice(0, -1) : ids;
}
