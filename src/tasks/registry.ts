import type { TaskName } from '../experiment/tasks/registry';
import type { TaskKind } from './kind';
import { textClassification } from './text-classification';

const KINDS: Record<TaskName, TaskKind> = { 'text-classification': textClassification };

export const taskKind = (name: TaskName): TaskKind => KINDS[name];
