import type { Fields } from '../../table/records';
import { parsed } from './language-rows';
import { field, type MarkedFormat, type ReadOptions, type Row } from './rows';

/**
 * The choice that an answer means. A number is an index from 0. A string is the name of a choice, its text, its letter
 * (A for the first), or its index in digits, in this order.
 *
 * @param names of the choices, where the data have them
 */
export function answerIndex(
  value: unknown,
  choices: readonly string[],
  names: readonly string[] = [],
): number | undefined {
  if (typeof value === 'number') return within(value, choices);
  const text = String(value).trim();
  const found = [names.indexOf(text), choices.indexOf(text)].find((i) => i >= 0);
  if (found !== undefined) return found;
  if (/^[A-Za-z]$/.test(text)) return within(text.toUpperCase().charCodeAt(0) - CODE_OF_A, choices);
  return /^\d+$/.test(text) ? within(Number(text), choices) : undefined;
}

const CODE_OF_A = 65;

const within = (index: number, choices: readonly string[]): number | undefined =>
  Number.isInteger(index) && index >= 0 && index < choices.length ? index : undefined;

/** The line that ends an instruction of Commonsense170K. */
const FORMAT = /Answer format:\s*([^\s/]+(?:\/[^\s/]+)+)/;
/** A choice in an instruction, such as "Ending2: …". */
const NAMED = /\b([a-z]+\d+):/gi;

/**
 * The answers that an instruction of Commonsense170K allows: the words of its "Answer format: answer1/answer2", and any
 * further ones that it lists, such as "Answer5: …". Undefined if it has no answer format.
 */
export function offeredChoices(instruction: string): string[] | undefined {
  const format = FORMAT.exec(instruction);
  if (!format) return undefined;
  const choices = format[1].split('/');
  const family = stem(choices[0]);
  const listed = [...instruction.matchAll(NAMED)]
    .map(([, name]) => name.toLowerCase())
    .filter((name) => stem(name) === family);
  return [...new Set([...choices, ...listed])];
}

/** "answer" of "answer1". */
const stem = (choice: string): string => choice.replace(/\d+$/, '');

/** A question with its choices; `label` is the text of the right one. */
export interface ChoiceRow extends Row {
  choices: readonly string[];
  /** The number of choices it has. */
  offered: number;
  /** The index of the right one. */
  answer: number;
  /** The words of an answer before the choice, where the data have them. */
  lead?: string;
}

type Found<T> = T | { problem: string };

/** Questions of a data file, with choices in a list, in columns, or in the text as in Commonsense170K. */
export const choiceRows: MarkedFormat<ChoiceRow> = {
  required: () => ['textColumn', 'completionColumn', 'choicesColumn', 'choiceColumns', 'labelColumn'],
  rowOf: choiceRow,
  marks: ({ answer, offered }) => [String(answer), String(offered)],
  marked: ([answer, offered]) => ({
    text: '',
    label: '',
    choices: [],
    offered: Number(offered),
    answer: Number(answer),
  }),
};

function choiceRow(fields: Fields, options: ReadOptions): Found<Omit<ChoiceRow, 'line'>> {
  const question = field(fields, options.textColumn!);
  if ('problem' in question) return question;
  const label = field(fields, options.labelColumn!);
  if ('problem' in label) return label;
  const offered =
    options.completionColumn === undefined
      ? inColumns(fields, options)
      : inText(fields, question.value, options);
  if ('problem' in offered) return offered;
  const { choices, names, lead } = offered;
  const answer = answerIndex(fields.get(options.labelColumn!), choices, names);
  if (answer === undefined)
    return {
      problem: `"${options.labelColumn}" is "${label.value}", which is none of the ${choices.length} choices, nor the letter or the index of one, counted from 0`,
    };
  return {
    text: question.value,
    label: choices[answer],
    choices,
    offered: choices.length,
    answer,
    lead,
  };
}

interface Offered {
  choices: readonly string[];
  names?: readonly string[];
  lead?: string;
}

/** "… Answer format: true/false", "the correct answer is true" and "true". */
function inText(fields: Fields, instruction: string, options: ReadOptions): Found<Offered> {
  const { textColumn, completionColumn, labelColumn } = options;
  const choices = offeredChoices(instruction);
  if (!choices)
    return {
      problem: `"${textColumn}" does not end with its choices, as "Answer format: answer1/answer2" does`,
    };
  const completion = field(fields, completionColumn!);
  if ('problem' in completion) return completion;
  const answer = String(fields.get(labelColumn!));
  if (!completion.value.endsWith(answer))
    return { problem: `"${completionColumn}" does not end with "${answer}", which is its "${labelColumn}"` };
  return { choices, lead: completion.value.slice(0, completion.value.length - answer.length) };
}

function inColumns(fields: Fields, { choicesColumn, choiceColumns }: ReadOptions): Found<Offered> {
  if (choicesColumn !== undefined) return inList(parsed(fields.get(choicesColumn)), choicesColumn);
  const choices: string[] = [];
  for (const column of choiceColumns!) {
    const choice = field(fields, column);
    if ('problem' in choice) return choice;
    choices.push(choice.value);
  }
  return { choices };
}

/** A list, or two of the same length: texts with their names, as ARC has them. */
function inList(value: unknown, column: string): Found<Offered> {
  const { text = value, label } = (value ?? {}) as { text?: unknown; label?: unknown };
  const choices = strings(text);
  if (!choices || choices.length < 2)
    return { problem: `"${column}" is not a list of at least two strings or numbers` };
  const names = strings(label);
  return { choices, ...(names?.length === choices.length && { names }) };
}

function strings(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const isPlain = (v: unknown) => (typeof v === 'string' && v.trim() !== '') || typeof v === 'number';
  return value.every(isPlain) ? value.map(String) : undefined;
}
