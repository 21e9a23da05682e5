import { own } from '../../base/names';
import type { TaskDescription, TaskShapes } from './kind';
import { textClassification } from './text-classification';

/** Every kind of task, by its name in an experiment; the schema has the same. */
export const TASKS = { 'text-classification': textClassification } as const satisfies Record<
  string,
  TaskDescription
>;

export type TaskName = keyof typeof TASKS;

/** Of an experiment that names none, as the schema has it. */
export const DEFAULT_TASK: TaskName = 'text-classification';

export const describeTask = (name: TaskName): TaskDescription => TASKS[name];

/** @returns undefined for a kind of another version, whose runs open all the same */
export function shapesOf(name: string): TaskShapes | undefined {
  const kind = own<TaskDescription>(TASKS, name);
  return kind && { input: kind.input, answer: kind.answer };
}
