import { AuroraError } from '../../base/errors';
import type { LanguageRow } from '../../data/table/language-rows';
import { matched } from '../../data/text/bounded-patterns';
import type { Tokenizer } from '../../data/text/tokenizer';
import type { Experiment } from '../../experiment/experiment';
import {
  type AnswerSettings,
  newTokens,
  type WrittenScoring,
  writtenScorings,
} from '../../experiment/scoring';
import { comparedAnswer, lastNumber } from '../../experiment/scores/written-answers';
import type { Writing } from '../kind';
import { IGNORE_LABEL } from '../objective';
import { common, languageText, type LanguageOptions, type LanguageText } from './language-text';
import { predictedTokens } from './predicted-tokens';
import { languageOptions } from './reads-language';
import { shorten } from './truncation';

/** A prompt with the answer in the data, to which the model is to write its own. */
export interface WrittenText extends LanguageText {
  /** The answer in the data, as a text. */
  reference: string;
  format: AnswerFormat;
  writing(): Writing;
}

/** The form in which the answers of an experiment are written and read. */
export interface AnswerFormat extends LanguageOptions {
  scorings: readonly WrittenScoring[];
  /** The most tokens of an answer, which the prompt leaves free. */
  maxTokens: number;
  /** The token with which the chat template ends an answer; undefined if it has none, or without conversations. */
  turnEnd?: number;
  /** The number of tokens of a row's prompt, before it is shortened. */
  promptLength(row: LanguageRow): number;
  /** The answer that each of `scorings` finds in a text, as it is compared; undefined where there is none. */
  read(text: string): (string | undefined)[];
  /** The text of new tokens, up to the first of task.answers.stop. */
  textOf(tokens: readonly number[]): string;
  /** True if the text of new tokens has one of task.answers.stop. */
  isOver(tokens: readonly number[]): boolean;
}

export function answerFormat(tokenizer: Tokenizer, spec: Experiment): AnswerFormat {
  const { task, model } = spec;
  const { stop = [], ...settings } = task.answers ?? {};
  const scorings = writtenScorings(task);
  const finders = scorings.map((scoring) => FINDERS[scoring](settings));
  const longest = Math.max(0, ...stop.map((text) => text.length));
  return {
    ...languageOptions(spec),
    scorings,
    maxTokens: newTokens(task, model.maxLength),
    turnEnd: spec.data.messagesColumn === undefined ? undefined : turnEnd(tokenizer),
    promptLength: (row) => promptTokens(tokenizer, row).length,
    read: (text) => finders.map((find) => find(text)),
    textOf: (tokens) => beforeAny(tokenizer.decode(tokens), stop),
    isOver(tokens) {
      if (stop.length === 0) return false;
      // A token of a few bytes may be a part of a character.
      const end = tokenizer.decode(tokens.slice(-BYTES * longest - MARGIN));
      return stop.some((text) => end.includes(text));
    },
  };
}

/** A conversation that shows how the chat template ends an answer. */
const ANSWER = 'It is 4.';
const CONVERSATION = [
  { role: 'user', content: 'What is 2 + 2?' },
  { role: 'assistant', content: ANSWER },
];

/**
 * The first special token after an answer in the chat template's format: some templates add one that ends the whole text.
 *
 * @returns undefined if there is none, or the template refuses a conversation of a question and an answer
 */
function turnEnd({ chat, encodeBare, specialIds }: Tokenizer): number | undefined {
  if (!chat) return undefined;
  let text;
  try {
    ({ text } = chat(CONVERSATION, false));
  } catch (e) {
    if (e instanceof AuroraError && e.kind === 'data') return undefined;
    throw e;
  }
  const at = text.lastIndexOf(ANSWER);
  return at < 0 ? undefined : encodeBare(text.slice(at + ANSWER.length)).find((id) => specialIds.has(id));
}

/** The most tokens of a character. */
const BYTES = 4;
/** Tokens before a text that may be spelled otherwise without those before them. */
const MARGIN = 8;

function beforeAny(text: string, stop: readonly string[]): string {
  const ends = stop.map((word) => text.indexOf(word)).filter((at) => at >= 0);
  return ends.length > 0 ? text.slice(0, Math.min(...ends)) : text;
}

type Finder = (settings: AnswerSettings) => (text: string) => string | undefined;

const FINDERS: Record<WrittenScoring, Finder> = {
  'exact-match': (settings) => {
    const find = settings.pattern === undefined ? (text: string) => text : firstGroup(settings.pattern);
    return (text) => {
      const found = find(text);
      return found === undefined ? undefined : comparedAnswer(found, settings);
    };
  },
  'last-number': () => lastNumber,
};

/**
 * The first group of the first match.
 *
 * @throws AuroraError 'experiment' if the expression takes too long for a text
 */
function firstGroup(pattern: string): (text: string) => string | undefined {
  const expression = new RegExp(pattern);
  return (text) => {
    try {
      return matched(() => expression.exec(text)?.[1], pattern, text.length);
    } catch (e) {
      throw new AuroraError(
        'experiment',
        `task.answers.pattern cannot be used: ${(e as Error).message}.`,
        'Write it so that no repeated group has a repetition inside, as ((a+)+) does.',
        { cause: e },
      );
    }
  };
}

/** @returns an example of size 0 if none of its tokens is to be predicted */
export function writtenText(
  tokenizer: Tokenizer,
  row: LanguageRow,
  format: AnswerFormat,
  index: number,
): WrittenText {
  return {
    ...languageText(tokenizer, row, format, index),
    reference: row.label,
    format,
    writing: () => answerWriting(tokenizer, row, format),
  };
}

/** The writing of an answer. Where prompt and answer could be too long together, the prompt loses its beginning. */
function answerWriting(
  tokenizer: Tokenizer,
  row: LanguageRow,
  { maxLength, maxTokens, turnEnd, isOver }: AnswerFormat,
): Writing {
  const prompt = promptTokens(tokenizer, row);
  return {
    prompt: shorten(prompt, maxLength - maxTokens, tokenizer).left(prompt),
    maxTokens,
    beams: 1,
    // From the template, not from this row's answer: model.maxLength may cut off the end of that.
    ends: new Set([tokenizer.endId, row.messages && turnEnd].filter((id) => id !== undefined)),
    isOver,
    example: (tokens): LanguageText => ({
      size: tokens.length,
      ids: Int32Array.from(tokens),
      targets: new Int32Array(tokens.length).fill(IGNORE_LABEL),
      row: 0,
    }),
    keep: (tokens) => [tokens.length, ...tokens],
  };
}

/**
 * A row up to where its last answer begins. A space at the end of a prompt is often part of the answer's first token, as
 * training has it: the model then writes both.
 */
function promptTokens(tokenizer: Tokenizer, { text, completion, messages }: LanguageRow): readonly number[] {
  if (messages) {
    const last = messages.findLastIndex((m) => m.role === 'assistant');
    return tokenizer.encodeBare(tokenizer.chat!(messages.slice(0, last), true).text);
  }
  const own = tokensOf(tokenizer, text);
  const joined = tokenizer.encodeStart(text + (completion ?? ''), own.length);
  const prompt = common(own, joined) === own.length ? own : tokensOf(tokenizer, text.trimEnd());
  // A model writes after a token: without a prompt, after the one that ends a text and so begins the next.
  return prompt.length > 0 ? prompt : [tokenizer.endId ?? tokenizer.padId];
}

/** A text without the token that ends it. */
function tokensOf(tokenizer: Tokenizer, text: string): readonly number[] {
  const { ids } = tokenizer.encode(text, Infinity);
  return ids.at(-1) === tokenizer.endId ? ids.slice(0, -1) : ids;
}

/** The tokens that the model wrote, in what is kept of an example; undefined if it did not write. */
export function writtenTokens(example: WrittenText, kept: Float32Array): number[] | undefined {
  const from = 2 * predictedTokens(example).length;
  return kept.length > from ? Array.from(kept.subarray(from + 1)) : undefined;
}

/** The text that the model wrote; undefined if it did not write. */
export function writtenIn(example: WrittenText, kept: Float32Array): string | undefined {
  const tokens = writtenTokens(example, kept);
  return tokens && example.format.textOf(tokens);
}

/** The tokens of the answer in the data, the number of them that were the most likely ones, and their mean loss. */
export function tokenOutcomes(example: WrittenText, kept: Float32Array) {
  const answered = predictedTokens(example).length;
  let [right, sum] = [0, 0];
  for (let i = 0; i < answered; i++) {
    sum -= kept[2 * i];
    if (kept[2 * i + 1] > 0) right++;
  }
  return { answered, right, loss: sum / answered };
}

/** A written answer beside the one in the data, for each of an experiment's methods. */
export interface Judged {
  /** As compared; undefined where a text has no answer. */
  reference: string | undefined;
  written: string | undefined;
  right: boolean;
}

/** @param text that the model wrote */
export function judged({ reference, format }: WrittenText, text: string): Judged[] {
  const [wanted, found] = [format.read(reference), format.read(text)];
  return found.map((written, i) => ({
    reference: wanted[i],
    written,
    right: written !== undefined && written === wanted[i],
  }));
}
