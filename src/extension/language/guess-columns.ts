import { basename, dirname } from 'node:path';
import { numberIn } from '../../base/csv';
import type { TaskColumns } from '../../experiment/tasks/columns';
import type { TaskDescription } from '../../experiment/tasks/kind';
import type { Column, DataHead } from '../../table/head';
import { columnFacts, type ColumnFacts, flagColumns, named } from './data-columns';

const TEXT_NAMES = ['text', 'sentence', 'content', 'description', 'body', 'message', 'review', 'document'];
const LABEL_NAMES = ['label', 'labels', 'class', 'category', 'target', 'section', 'sentiment', 'y'];
const NUMBER_NAMES = ['score', 'similarity', 'rating', 'value', 'target', 'label', 'y'];
const WORDS_NAMES = ['tokens', 'words'];
const TAGS_NAMES = ['tags', 'ner_tags', 'labels', 'label'];
const MESSAGES_NAMES = ['messages', 'conversation', 'conversations'];
const PROMPT_NAMES = ['prompt', 'instruction', 'question', 'input'];
const COMPLETION_NAMES = ['completion', 'response', 'output', 'answer'];
/** Names of two columns that make a pair of texts. */
const PAIRS = [
  ['sentence1', 'sentence2'],
  ['premise', 'hypothesis'],
  ['question1', 'question2'],
  ['question', 'sentence'],
  ['question', 'answer'],
  ['query', 'passage'],
  ['text_a', 'text_b'],
  ['text1', 'text2'],
];

/** The likely ones; undefined where nothing fits. */
export function guessFor(head: DataHead, task: TaskDescription): TaskColumns {
  if (task.answer === 'text') return guessWritten(head);
  if (task.answer === 'choice') return guessQuestion(head);
  const [text, pair] =
    task.answer === 'spans'
      ? [guessWords(head.columns)?.name]
      : (task.pairs && guessPair(head)) || [guessColumns(head).text];
  return {
    text,
    pair,
    ...guessAnswer(
      { ...head, columns: head.columns.filter((c) => c.name !== text && c.name !== pair) },
      task,
    ),
  };
}

/** @param head without the columns of the texts */
export function guessAnswer(
  head: DataHead,
  { answer }: Pick<TaskDescription, 'answer'>,
): Pick<TaskColumns, 'label' | 'labels'> {
  switch (answer) {
    case 'label':
      return guessLabel(head);
    case 'labels':
      return guessLabels(head);
    case 'number':
      return guessNumber(head);
    case 'spans':
      return guessTags(head.columns);
    case 'choice':
      return guessRight(head);
    // Other answers have no column to guess.
    default:
      return {};
  }
}

const single = ({ columns }: DataHead): Column[] => columns.filter((c) => !c.lists);

/** The two texts of a pair, by their names. */
function guessPair(head: DataHead): [string, string] | undefined {
  for (const [a, b] of PAIRS) {
    const [first, second] = [named(single(head), [a]), named(single(head), [b])];
    if (first && second) return [first.name, second.name];
  }
  return undefined;
}

/**
 * Guesses the text and label columns: first by common names; otherwise the longest values are the text, and the fewest
 * distinct values that repeat are the label. Undefined if nothing fits.
 */
export function guessColumns(head: DataHead): { text?: string; label?: string } {
  const facts = single(head).map(columnFacts);
  const text =
    named(facts, TEXT_NAMES) ??
    facts.filter((f) => f.meanLength >= 4).sort((a, b) => b.meanLength - a.meanLength)[0];
  const { label } = guessLabel({ ...head, columns: head.columns.filter((c) => c.name !== text?.name) });
  return { ...(text && { text: text.name }), label };
}

function guessLabel(head: DataHead): { label?: string } {
  const facts = single(head).map(columnFacts);
  const repeats = (f: ColumnFacts) => f.distinct >= 2 && f.distinct <= Math.max(2, head.rows / 2);
  const label = named(facts, LABEL_NAMES) ?? facts.filter(repeats).sort((a, b) => a.distinct - b.distinct)[0];
  return label ? { label: label.name } : {};
}

/** By name, or the numbers of which the most are different; numbers with decimals are not identifiers. */
function guessNumber(head: DataHead): { label?: string } {
  const numeric = single(head).filter(
    ({ values }) => values.length > 0 && values.every((v) => numberIn(v) !== undefined),
  );
  const decimals = numeric.filter(({ values }) => !values.every((v) => Number.isInteger(numberIn(v))));
  const distinct = (c: Column) => columnFacts(c).distinct;
  const likely =
    named(numeric, NUMBER_NAMES) ??
    (decimals.length > 0 ? decimals : numeric).sort((a, b) => distinct(b) - distinct(a))[0];
  return likely ? { label: likely.name } : {};
}

/** A list, a field by name, or columns of 0 and 1. */
function guessLabels(head: DataHead): { label?: string; labels?: string[] } {
  const lists = head.columns.filter((c) => c.lists);
  const one = named(lists, LABEL_NAMES) ?? lists[0] ?? named(head.columns, LABEL_NAMES);
  if (one) return { label: one.name };
  const flags = flagColumns(head);
  return flags.length > 0 ? { labels: flags } : {};
}

/** Lists of words and of tags, or strings with spaces between them. */
const guessWords = (columns: readonly Column[]): Column | undefined =>
  named(columns, WORDS_NAMES) ?? columns.find((c) => c.lists);

function guessTags(columns: readonly Column[]): { label?: string } {
  const tags = named(columns, TAGS_NAMES) ?? columns.findLast((c) => c.lists);
  return tags ? { label: tags.name } : {};
}

/** Conversations, prompts with completions, or texts. */
function guessWritten(head: DataHead): { text?: string; completion?: string; messages?: string } {
  const messages = named(
    head.columns.filter((c) => c.lists),
    MESSAGES_NAMES,
  );
  if (messages) return { messages: messages.name };
  const [prompt, completion] = [named(single(head), PROMPT_NAMES), named(single(head), COMPLETION_NAMES)];
  if (prompt && completion) return { text: prompt.name, completion: completion.name };
  const { text } = guessColumns(head);
  return text === undefined ? {} : { text };
}

/** Finds the other split by name: "train.csv" beside "validation.csv", "dev.csv" or "test.csv". */
export function guessValidation(train: string, others: readonly string[]): string | undefined {
  if (!/train/i.test(train)) return undefined;
  const wanted = ['validation', 'valid', 'val', 'dev', 'test'].flatMap((word) => [
    train.replace(/training/i, word),
    train.replace(/train/i, word),
  ]);
  return wanted.find((w) => w !== train && others.includes(w));
}

const QUESTION_NAMES = ['question', 'ctx', 'goal', 'sentence', 'prompt', 'query', 'context', 'text'];
const CHOICES_NAMES = ['choices', 'options', 'endings'];
const ANSWER_NAMES = ['answer', 'answerkey', 'label', 'correct', 'gold', 'target'];
/** A column for one choice, by its letter or number: "choice1", "ending_0", "answerA", "B". */
const ONE_CHOICE = /^(choice|option|ending|answer|solution|sol)?[ _-]?([a-h]|\d)$/i;

/** The columns of questions with choices: those of Commonsense170K, a list, or a column for each choice. */
function guessQuestion(head: DataHead): TaskColumns {
  const [instruction, output, answer] = ['instruction', 'output', 'answer'].map((name) =>
    named(head.columns, [name]),
  );
  if (instruction && output && answer)
    return { text: instruction.name, completion: output.name, label: answer.name };
  const text = named(
    head.columns.filter((c) => !c.lists),
    QUESTION_NAMES,
  );
  return { ...(text && { text: text.name }), ...guessChoices(head), ...guessRight(head) };
}

function guessChoices({ columns }: DataHead): Pick<TaskColumns, 'choices'> {
  const list = named(columns, CHOICES_NAMES);
  if (list) return { choices: list.name };
  const ones = columns.filter(({ name, lists }) => !lists && ONE_CHOICE.test(name)).map((c) => c.name);
  return ones.length >= 2 ? { choices: ones } : {};
}

function guessRight({ columns }: DataHead): Pick<TaskColumns, 'label'> {
  const label = named(columns, ANSWER_NAMES);
  return label ? { label: label.name } : {};
}

/** The meaning of selected columns: each a choice, all choices in a list, or sentences that end with the right one. */
export function choiceColumns(selected: readonly Column[]): Pick<TaskColumns, 'choices' | 'completion'> {
  const [first] = selected;
  if (selected.length > 1) return { choices: selected.map((c) => c.name) };
  // Objects have no values that a column shows; in a CSV file, a list is written in JSON.
  const isList = first.lists ?? first.values.every((value) => /^\s*[[{]/.test(value));
  return isList ? { choices: first.name } : { completion: first.name };
}

/** "test.csv", "reviews-test.jsonl", "test-00000-of-00001.parquet", and the folder "test"; not "latest.csv". */
const TEST = /(^|[-_. ])test(ing)?([-_. ]|$)/i;

/**
 * The likely test sets among files or folders: those called so beside the training data, or in a folder called so
 * beside it or its folder ("train/0000.parquet", "test/0000.parquet").
 *
 * @param others absolute paths, without those of training and validation
 */
export function guessTests(train: string, others: readonly string[]): string[] {
  const beside = dirname(train);
  return others.filter((path) => {
    const folder = dirname(path);
    if (TEST.test(basename(path)) && folder === beside) return true;
    return TEST.test(basename(folder)) && [beside, dirname(beside)].includes(dirname(folder));
  });
}

const NAMED = /(^|[\s_-])(id|uuid|guid|idx|index|key|row|number|url|date|time|timestamp)$/i;
/** "exampleId", "rowIndex" */
const CAMEL = /[a-z](Id|ID|Uuid|Index|Key|Url)$/;
/** Characters that occur in codes, paths, dates and names of packages, and not in single words. */
const CODE = /[\d_./:@-]/;

/** True if a column identifies its row: by its name, or by numbers or different codes as values. */
export function isIdentifier({ name, values, lists }: Column): boolean {
  if (lists || values.length === 0) return false;
  if (NAMED.test(name.trim()) || CAMEL.test(name)) return values.every((v) => !/\s\S+\s/.test(v.trim()));
  if (values.every((v) => numberIn(v) !== undefined)) return true;
  return (
    values.length > 1 &&
    new Set(values).size === values.length &&
    values.every((v) => !/\s/.test(v.trim()) && CODE.test(v))
  );
}
