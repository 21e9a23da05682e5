import { own } from '../../base/names';
import type { TaskDescription, TaskShapes } from './kind';
import { textClassification } from './text-classification';
import { tokenClassification } from './token-classification';

/** Every kind of task, by its name in an experiment; the same as in the schema. */
export const TASKS = {
  'text-classification': textClassification,
  'token-classification': tokenClassification,
} as const satisfies Record<string, TaskDescription>;

export type TaskName = keyof typeof TASKS;

/** The default kind, as in the schema. */
export const DEFAULT_TASK: TaskName = 'text-classification';

export const describeTask = (name: TaskName): TaskDescription => TASKS[name];

/** @returns undefined for a kind from another version, whose runs can still be opened */
export function shapesOf(name: string): TaskShapes | undefined {
  const kind = own<TaskDescription>(TASKS, name);
  return kind && { input: kind.input, answer: kind.answer };
}
