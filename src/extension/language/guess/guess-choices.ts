import type { TaskColumns } from '../../../experiment/tasks/columns';
import type { Column, DataHead } from '../../../table/head';
import { named } from '../columns';

const QUESTION_NAMES = ['question', 'ctx', 'goal', 'sentence', 'prompt', 'query', 'context', 'text'];
const CHOICES_NAMES = ['choices', 'options', 'endings'];
const ANSWER_NAMES = ['answer', 'answerkey', 'label', 'correct', 'gold', 'target'];
/** A column for one choice, by its letter or number: "choice1", "ending_0", "answerA", "B". */
const ONE_CHOICE = /^(choice|option|ending|answer|solution|sol)?[ _-]?([a-h]|\d)$/i;

/** The columns of questions with choices: those of Commonsense170K, a list, or a column for each choice. */
export function guessQuestion(head: DataHead): TaskColumns {
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

export function guessChoices({ columns }: DataHead): Pick<TaskColumns, 'choices'> {
  const list = named(columns, CHOICES_NAMES);
  if (list) return { choices: list.name };
  const ones = columns.filter(({ name, lists }) => !lists && ONE_CHOICE.test(name)).map((c) => c.name);
  return ones.length >= 2 ? { choices: ones } : {};
}

export function guessRight({ columns }: DataHead): Pick<TaskColumns, 'label'> {
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
