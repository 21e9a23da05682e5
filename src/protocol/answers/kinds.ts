import { listOf, maybe, number, object, text, type Check } from '../checks';
import type { AnswersInWords, ParseAnswers, StoredAnswers, WrongAnswers } from './answer-kind';
import { choiceWords, choiceWrong, parseChoice, type ChoiceAnswers } from './choice';
import { labelWords, labelWrong, parseLabel, type LabelAnswers, type LiveShares } from './label';
import { labelSetWords, labelSetWrong, parseLabelSet, type LabelSetAnswers } from './label-set';
import { numberWords, parseNumber, type LiveNumber, type NumberAnswers } from './number';
import { parsePicture, pictureWords, type PictureAnswers } from './picture';
import { parseSpan, SPAN_FIELDS, spanWords, spanWrong, type LiveSpans, type SpanAnswers } from './spans';
import { parseText, textWords, type TextAnswers } from './text';
import type { LiveTokens } from './tokens';
import { parseWritten, writtenInWords, writtenWrong, type WrittenAnswers } from './written';

/** The answers to all examples, by their kind. */
export type Answers =
  | LabelAnswers
  | LabelSetAnswers
  | SpanAnswers
  | NumberAnswers
  | TextAnswers
  | WrittenAnswers
  | ChoiceAnswers
  | PictureAnswers;

// Each is an object for itself, so that a page's bundle contains only those that it uses.

const PARSE: { [A in Answers as A['answer']]: ParseAnswers<A> } = {
  label: parseLabel,
  labels: parseLabelSet,
  spans: parseSpan,
  number: parseNumber,
  text: parseText,
  written: parseWritten,
  choice: parseChoice,
  picture: parsePicture,
};

/** Graded answers are more or less far off, or more or less unlikely, and never wrong. */
const WRONG: { [A in Answers as A['answer']]: WrongAnswers<A> | 'graded' } = {
  label: labelWrong,
  labels: labelSetWrong,
  spans: spanWrong,
  number: 'graded',
  text: 'graded',
  written: writtenWrong,
  choice: choiceWrong,
  picture: 'graded',
};

const WORDS: { [A in Answers as A['answer']]: AnswersInWords<A> } = {
  label: labelWords,
  labels: labelSetWords,
  spans: spanWords,
  number: numberWords,
  text: textWords,
  written: writtenInWords,
  choice: choiceWords,
  picture: pictureWords,
};

/** Undefined if they are of an unknown kind, or a column is missing or damaged. */
export const parseAnswers = (answer: unknown, stored: StoredAnswers): Answers | undefined =>
  typeof answer === 'string' && Object.hasOwn(PARSE, answer)
    ? PARSE[answer as Answers['answer']](stored)
    : undefined;

/** True for answers that are never wrong. */
export const isGraded = (answer: Answers['answer']): boolean => WRONG[answer] === 'graded';

/** 1 for each example whose answer is wrong, in part or as a whole. */
export function wrongOf(answers: Answers): Uint8Array {
  const wrong = WRONG[answers.answer] as WrongAnswers<Answers> | 'graded';
  return wrong === 'graded' ? new Uint8Array(answers.columns.line.length) : wrong(answers);
}

/** Each example's answers in words. @param rows the rows of the examples */
export const answerWords: AnswersInWords<Answers> = (answers, rows) =>
  (WORDS[answers.answer] as AnswersInWords<Answers>)(answers, rows);

type Live = LiveShares | LiveSpans | LiveNumber | LiveTokens;
type KeysOf<T> = T extends unknown ? keyof T : never;
type Only<T, K extends PropertyKey> = T extends unknown ? T & { [F in Exclude<K, keyof T>]?: never } : never;

/** A model's answer to one question: the fields of its kind, and none of the others. */
export type Answer = Only<Live, KeysOf<Live>>;

/** Checks of these fields. A function, so that a page's bundle contains them only if it uses them. */
export const answerFields = (): Record<KeysOf<Live>, Check> => ({
  probabilities: maybe(listOf(number)),
  choices: maybe(listOf(text)),
  spans: maybe(listOf(object({ ...SPAN_FIELDS, probability: number }))),
  number: maybe(Number.isFinite),
  masks: maybe(listOf(listOf(object({ token: text, probability: number })))),
});
