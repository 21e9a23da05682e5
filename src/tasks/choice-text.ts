import type { ChoiceRow } from '../data/table/choice-rows';
import type { LanguageRow } from '../data/table/language-rows';
import type { Tokenizer } from '../data/text/tokenizer';
import type { Experiment } from '../experiment/experiment';
import { inTemplate } from '../experiment/prompt-template';
import { choiceScoring, isGenerated, type Scoring } from '../experiment/scoring';
import type { Writing } from './kind';
import { IGNORE_LABEL } from './objective';
import { contentSpan } from './text/assistant-spans';
import { common, countedTokens, type LanguageOptions, type LanguageText } from './text/language-text';
import { shorten } from './text/truncation';

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
    truncated,
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

/** The format of an experiment's questions with choices, and the method that finds the model's answer. */
export interface ChoiceFormat extends LanguageOptions {
  template: string;
  /** Questions are a user's messages in the model's chat format, and answers the assistant's. */
  chat: boolean;
  /** The default for the words before the choice in an answer. */
  lead?: string;
  scoring: Scoring;
}

/** A question, as a file has it or a person asks it. */
type Question = Pick<ChoiceRow, 'text' | 'choices' | 'lead'>;

/** The template of the tasks of lm-evaluation-harness whose choices are texts. */
const QUESTION = 'Question: {text}\nAnswer:';
/** The lead of every answer in Commonsense170K. */
const LEAD = 'the correct answer is ';

export function choiceFormat({ data, task, model }: Experiment): ChoiceFormat {
  const { chatTemplate: chat = false, lossOn = 'answers' } = task;
  // Choices in the text itself come with an instruction.
  const instructed = data.completionColumn !== undefined;
  return {
    maxLength: model.maxLength,
    lossOn,
    template: data.promptTemplate ?? (instructed || chat ? '{text}' : QUESTION),
    chat,
    ...(instructed && { lead: LEAD }),
    scoring: choiceScoring(task),
  };
}

/** A question with one of its choices as the answer, as a language model learns it. */
function answered(
  { text, ...question }: Question,
  choice: string,
  { template, chat, ...format }: ChoiceFormat,
): Pick<LanguageRow, 'text' | 'completion' | 'messages'> {
  const prompt = inTemplate(template, text);
  const lead = question.lead ?? format.lead;
  if (!chat) return { text: prompt, completion: `${lead ?? gap(prompt)}${choice}` };
  const messages = [
    { role: 'user', content: prompt },
    { role: 'assistant', content: `${lead ?? ''}${choice}` },
  ];
  return { text: prompt, messages };
}

/** lm-evaluation-harness's target_delimiter. */
const gap = (prompt: string): string => (/\s$/.test(prompt) ? '' : ' ');

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
function choiceWriting(
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

/** Characters with a meaning in a regular expression. */
const SPECIAL = /[\\^$.*+?()[\]{}|/]/g;

/**
 * The index of the choice that a text names first; undefined if it names none. If several choices with a common
 * beginning are there, the longest one counts.
 *
 * @param whole true if a choice must not be a part of a longer word, as "a" is of "answer"
 */
export function namedChoice(text: string, choices: readonly string[], whole: boolean): number | undefined {
  const longestFirst = choices
    .toSorted((a, b) => b.length - a.length)
    .map((choice) => choice.replace(SPECIAL, '\\$&'));
  const any = `(?:${longestFirst.join('|')})`;
  const pattern = whole ? `(?<![\\p{L}\\p{N}])${any}(?![\\p{L}\\p{N}])` : any;
  const found = new RegExp(pattern, 'u').exec(text);
  return found ? choices.indexOf(found[0]) : undefined;
}
