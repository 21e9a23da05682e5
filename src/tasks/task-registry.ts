import type { TaskSpec } from '../experiment/experiment';
import { writtenScorings } from '../experiment/scoring';
import type { TaskName } from '../experiment/tasks/registry';
import { causalLanguageModeling } from './causal-language-modeling';
import { imageClassification } from './image-classification';
import type { TaskKind } from './kind';
import { maskedLanguageModeling } from './masked-language-modeling';
import { multiLabelClassification } from './multi-label-classification';
import { multipleChoice } from './multiple-choice';
import { subjectGeneration } from './subject-generation';
import { textClassification } from './text-classification';
import { textRegression } from './text-regression';
import { tokenClassification } from './token-classification';
import { writtenLanguageModeling } from './written-language-modeling';

/** Each kind only ever gets examples that it has made. */
const KINDS: Record<TaskName, TaskKind> = {
  'text-classification': textClassification,
  'text-regression': textRegression,
  'multi-label-classification': multiLabelClassification,
  'token-classification': tokenClassification,
  'image-classification': imageClassification,
  'causal-language-modeling': causalLanguageModeling,
  'masked-language-modeling': maskedLanguageModeling,
  'multiple-choice': multipleChoice,
  'subject-generation': subjectGeneration,
};

/** Kinds of which the model may have to write its answers (task.scoring). */
const WRITING: Partial<Record<TaskName, TaskKind>> = {
  'causal-language-modeling': writtenLanguageModeling,
};

export const taskKind = (task: Pick<TaskSpec, 'type' | 'scoring'>): TaskKind =>
  (writtenScorings(task).length > 0 ? WRITING[task.type] : undefined) ?? KINDS[task.type];
