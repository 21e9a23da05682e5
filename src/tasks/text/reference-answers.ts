import { basename } from 'node:path';
import { AuroraError } from '../../base/errors';
import { count } from '../../base/number-text';
import { answeredOf } from '../../data/dataset';
import type { LanguageRow } from '../../data/table/language-rows';
import type { Experiment } from '../../experiment/experiment';
import { rowPlace } from '../../protocol/row-place';
import type { DataSplit } from '../task-data';
import type { AnswerFormat, WrittenText } from './written-text';

/** A warning, with the setting that it is about. */
interface AnswerWarning {
  key: string;
  message: string;
}

/** Characters shown of an answer. */
const SHOWN = 80;

/**
 * Looks for the answers in a split's data, before anything is written for them.
 *
 * @returns warnings about answers that are not found, and prompts that are too long
 * @throws AuroraError 'data' if no answer is found at all, and every written one would be wrong, or for a conversation
 *   without a prompt
 */
export function requireAnswers(
  { task, model }: Experiment,
  { path, rows, parts, dataset }: DataSplit<WrittenText>,
  format: AnswerFormat,
): AnswerWarning[] {
  const missing = format.scorings.map(() => 0);
  let answers = 0;
  let first = '';
  for (const { row } of answeredOf(dataset.examples)) {
    const { label, line, messages } = rows.at(row)! as LanguageRow;
    if (messages?.findLastIndex(({ role }) => role === 'assistant') === 0)
      throw new AuroraError(
        'data',
        `${rowPlace(path, line, parts)}: the conversation begins with the assistant's last message, so the model would have nothing to answer.`,
        "Add the user's message before it, or leave out task.scoring.",
      );
    if (answers++ === 0) first = label;
    format.read(label).forEach((found, i) => {
      if (found === undefined) missing[i]++;
    });
  }
  const warnings: AnswerWarning[] = [];
  for (const [i, scoring] of format.scorings.entries()) {
    if (missing[i] === 0) continue;
    const isPattern = scoring === 'exact-match';
    const key = isPattern ? 'task.answers.pattern' : 'task.scoring';
    const what = isPattern
      ? `${key}, ${task.answers?.pattern}, finds nothing in`
      : `${key} is "last-number", and there is no number in`;
    if (missing[i] === answers)
      throw new AuroraError(
        'data',
        `${path}: ${what} any of the ${count(answers)} answers, so none that the model writes could be right. The first one ends with ${JSON.stringify(first.slice(-SHOWN))}.`,
        isPattern
          ? 'Correct the pattern: its group is the answer. Without a pattern, whole texts are compared.'
          : 'Use "exact-match", or answers with numbers.',
      );
    warnings.push({
      key,
      message: `${basename(path)}: ${what} ${count(missing[i])} of ${count(answers)} answers. Whatever the model writes there counts as wrong.`,
    });
  }
  return [...warnings, ...longPrompts({ path, rows, dataset }, model.maxLength, format)];
}

/** Prompts without room for an answer. Those of a large file are not read for this alone. */
function longPrompts(
  { path, rows, dataset: { examples } }: Pick<DataSplit<WrittenText>, 'path' | 'rows' | 'dataset'>,
  maxLength: number,
  { maxTokens, promptLength }: AnswerFormat,
): AnswerWarning[] {
  if (examples.sizes) return [];
  const room = maxLength - maxTokens;
  // A prompt is encoded only if its text is long enough.
  const long = [...examples].filter(
    ({ size, row }) => size > room && promptLength(rows.at(row)! as LanguageRow) > room,
  ).length;
  if (long === 0) return [];
  return [
    {
      key: 'model.maxLength',
      message: `${basename(path)}: ${count(long)} of ${count(examples.length)} prompts have more than ${room} tokens and lose their beginning when answers are written. model.maxLength is ${maxLength}, and ${maxTokens} tokens are for the answer (task.answers.maxNewTokens).`,
    },
  ];
}
