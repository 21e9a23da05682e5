import { own } from '../../base/names';
import type { Experiment } from '../experiment';
import type { InputShape, TaskDescription, TaskShapes } from './kind';
import { imageClassification } from './image-classification';
import { causalLanguageModeling } from './causal-language-modeling';
import { maskedLanguageModeling } from './masked-language-modeling';
import { multipleChoice } from './multiple-choice';
import { subjectGeneration } from './subject-generation';
import { multiLabelClassification } from './multi-label-classification';
import { textClassification } from './text-classification';
import { textRegression } from './text-regression';
import { tokenClassification } from './token-classification';

/** Every kind of task, by its name in an experiment; the same as in the schema. */
export const TASKS = {
  'text-classification': textClassification,
  'text-regression': textRegression,
  'multi-label-classification': multiLabelClassification,
  'token-classification': tokenClassification,
  'image-classification': imageClassification,
  'causal-language-modeling': causalLanguageModeling,
  'masked-language-modeling': maskedLanguageModeling,
  'multiple-choice': multipleChoice,
  'subject-generation': subjectGeneration,
} as const satisfies Record<string, TaskDescription>;

export type TaskName = keyof typeof TASKS;

/** The default kind, as in the schema. */
export const DEFAULT_TASK: TaskName = 'text-classification';

/** The first kind with this input and answer. */
export const taskWith = ({ input, answer }: TaskShapes): TaskName | undefined =>
  (Object.keys(TASKS) as TaskName[]).find((n) => TASKS[n].input === input && TASKS[n].answer === answer);

export const describeTask = (name: TaskName): TaskDescription => TASKS[name];

function inputOf(
  { input }: TaskDescription,
  { textPairColumn, messagesColumn }: Experiment['data'],
): InputShape {
  if (messagesColumn !== undefined) return 'chat';
  return textPairColumn === undefined ? input : 'pair';
}

/** @returns undefined for a kind from another version, whose runs can still be opened */
export function shapesOf({ task, data }: Pick<Experiment, 'task' | 'data'>): TaskShapes | undefined {
  const kind = own<TaskDescription>(TASKS, task.type);
  return kind && { input: inputOf(kind, data), answer: kind.answer };
}

/** True if an experiment, which may be wrong or incomplete, trains a new head. */
export const trainsHead = (task: { type?: unknown; head?: unknown }): boolean =>
  task.head !== 'none' && own<TaskDescription>(TASKS, String(task.type ?? DEFAULT_TASK))?.head !== false;
