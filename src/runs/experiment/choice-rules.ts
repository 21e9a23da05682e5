import { dataOfSet, evaluationSets } from '../../experiment/evaluation-sets';
import type { DataSpec, TaskSpec } from '../../experiment/experiment';
import { describeTask } from '../../experiment/tasks/registry';
import type { Problem } from './experiment-text';

const SOURCES = ['choicesColumn', 'choiceColumns', 'completionColumn'] as const;

/** Questions with choices need them from one place; the settings of their answers are for nothing else. */
export function choiceProblems(data: DataSpec, task: TaskSpec): Problem[] {
  if (describeTask(task.type).answer === 'choice')
    return [
      ...sourceProblems(['data', 'choicesColumn'], data),
      ...evaluationSets(data).flatMap((set) => sourceProblems([...set.key], dataOfSet(data, set))),
    ].slice(0, 1);
  return (['scoring', 'chatTemplate'] as const)
    .filter((key) => task[key] !== undefined)
    .map((key) => ({
      path: ['task', key],
      message: `task.${key} is for multiple choice, and task.type is "${task.type}"`,
    }));
}

function sourceProblems(path: string[], data: DataSpec): Problem[] {
  const given = SOURCES.filter((key) => data[key] !== undefined);
  if (given.length === 1) return [];
  const named = given.map((key) => `data.${key}`).join(' and ');
  return [
    {
      path,
      message: `${named} are set, but the choices of a question come from one place: a list (data.choicesColumn), a column for each choice (data.choiceColumns), or the text, as in Commonsense170K (data.completionColumn)`,
    },
  ];
}
