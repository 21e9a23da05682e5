import { numberIn } from '../../../base/csv';
import type { TaskColumns } from '../../../experiment/tasks/columns';
import type { TaskDescription } from '../../../experiment/tasks/kind';
import type { Column, DataHead } from '../../../table/head';
import { columnFacts, flagColumns, named, type ColumnFacts } from '../columns';
import { guessQuestion, guessRight } from './guess-choices';

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
    case 'text':
    case 'tokens':
    case 'picture':
      return {};
  }
}

const single = ({ columns }: DataHead): Column[] => columns.filter((c) => !c.lists);

/** The two texts of a pair, by their names. */
export function guessPair(head: DataHead): [string, string] | undefined {
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
