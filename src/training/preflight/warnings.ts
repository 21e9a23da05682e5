import type { Experiment } from '../../experiment/experiment';
import { taskKind } from '../../tasks/registry';
import type { TaskData } from '../../tasks/task-data';
import type { EvaluationData } from '../task/evaluation-data';
import { dataLine } from './data-line';
import { balanceProblems } from './problems';

/**
 * The warnings that every run reports about its data before its first step, as a preflight would: one pass over the
 * texts.
 */
export const dataWarnings = (spec: Experiment, data: TaskData, sets: readonly EvaluationData[]): string[] =>
  balanceProblems(spec, dataLine(taskKind(spec.task.type), data, sets)).map(({ message, hint }) =>
    hint ? `${message} ${hint}` : message,
  );
