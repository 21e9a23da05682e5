import { either } from '../../base/text';
import { dataOfSet, evaluationSets } from '../../experiment/evaluation-sets';
import type { DataSpec, Experiment, TaskSpec } from '../../experiment/experiment';
import {
  isWrittenScoring,
  newTokens,
  patternProblem,
  SCORINGS,
  WRITTEN_SCORINGS,
  writtenScorings,
} from '../../experiment/scoring';
import { describeTask } from '../../experiment/tasks/registry';
import type { Problem } from './experiment-text';

/** The settings of scoring that do not suit the task, its data or each other. */
export function scoringProblems({
  data,
  task,
  model,
}: Pick<Experiment, 'data' | 'task' | 'model'>): Problem[] {
  const { answer } = describeTask(task.type);
  const problems: Problem[] = [];
  if (task.chatTemplate !== undefined && answer !== 'choice')
    problems.push(foreign('chatTemplate', 'multiple choice', task));
  if (answer !== 'choice' && answer !== 'text')
    for (const key of ['scoring', 'answers'] as const)
      if (task[key] !== undefined)
        problems.push(
          foreign(
            key,
            key === 'scoring' ? 'multiple choice and language modeling' : 'language modeling',
            task,
          ),
        );
  if (answer === 'choice') problems.push(...ofChoices(task));
  if (answer === 'text') problems.push(...ofTexts(data, task, model.maxLength));
  return problems;
}

const foreign = (key: keyof TaskSpec, what: string, { type }: TaskSpec): Problem => ({
  path: ['task', key],
  message: `task.${key} is for ${what}, and task.type is "${type}"`,
});

const choicesOf = (names: object): string => either(Object.keys(names).map((name) => `"${name}"`));

function ofChoices(task: TaskSpec): Problem[] {
  const { scoring, type } = task;
  const isSuitable = scoring === undefined || (!Array.isArray(scoring) && !isWrittenScoring(scoring));
  return [
    ...(isSuitable
      ? []
      : [
          {
            path: ['task', 'scoring'],
            message: `task.scoring is ${JSON.stringify(scoring)}, expected ${choicesOf(SCORINGS)} for task.type "${type}"`,
          },
        ]),
    ...(task.answers === undefined ? [] : [foreign('answers', 'language modeling', task)]),
  ];
}

function ofTexts(data: DataSpec, task: TaskSpec, maxLength: number): Problem[] {
  const { scoring, answers = {}, type } = task;
  const written = writtenScorings(task);
  const problems: Problem[] = [];
  const problem = (path: string[], message: string) => problems.push({ path, message });
  if (scoring !== undefined && written.length < [scoring].flat().length)
    problem(
      ['task', 'scoring'],
      `task.scoring is ${JSON.stringify(scoring)}, expected ${choicesOf(WRITTEN_SCORINGS)}, or a list of them, for task.type "${type}"`,
    );
  else if (written.length === 0) {
    if (task.answers !== undefined)
      problem(['task', 'answers'], 'task.answers is set, but task.scoring is not, so no answers are written');
    return problems;
  }
  const sets = evaluationSets(data).map((set) => ({ path: [...set.key], of: dataOfSet(data, set) }));
  for (const { path, of } of [{ path: ['task', 'scoring'], of: data }, ...sets])
    if (of.completionColumn === undefined && of.messagesColumn === undefined) {
      problem(
        path,
        'task.scoring compares answers to prompts, so data.completionColumn must name the column with the answers, or data.messagesColumn that with conversations',
      );
      break;
    }
  if (!written.includes('exact-match'))
    for (const key of ['pattern', 'ignoreCase', 'ignorePunctuation'] as const)
      if (answers[key] !== undefined)
        problem(
          ['task', 'answers', key],
          `task.answers.${key} is for "exact-match", which task.scoring does not have`,
        );
  const wrong = answers.pattern === undefined ? undefined : patternProblem(answers.pattern);
  if (wrong !== undefined)
    problem(
      ['task', 'answers', 'pattern'],
      `task.answers.pattern ${wrong}; expected a regular expression with one group, which is the answer, as in "#### (.+)"`,
    );
  if (newTokens(task, maxLength) >= maxLength)
    problem(
      ['task', 'answers', 'maxNewTokens'],
      `task.answers.maxNewTokens is ${newTokens(task, maxLength)}, but a prompt and its answer have at most ${maxLength} tokens together (model.maxLength)`,
    );
  return problems;
}
