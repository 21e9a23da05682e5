import type { Experiment } from '../../experiment/experiment';
import { describeTask } from '../../experiment/tasks/registry';
import type { Problem } from './experiment-text';

const OF_TASK = [
  'instancePrompt',
  'classPrompt',
  'priorWeight',
  'noiseOffset',
  'snrGamma',
  'trainTextEncoder',
  'resolution',
  'centerCrop',
] as const;

type Read = Pick<Experiment, 'data' | 'task' | 'training' | 'model'>;

/** Settings of pictures in other tasks, and those of them that need each other. */
export function pictureProblems(spec: Read): Problem[] {
  return describeTask(spec.task.type).answer === 'picture' ? missing(spec) : foreign(spec);
}

function foreign({ data, task, training }: Read): Problem[] {
  const problem = (path: string[]): Problem => ({
    path,
    message: `${path.join('.')} is for tasks that draw pictures, and task.type is "${task.type}"`,
  });
  return [
    ...OF_TASK.filter((key) => task[key] !== undefined).map((key) => problem(['task', key])),
    ...(data.classImages === undefined ? [] : [problem(['data', 'classImages'])]),
    ...(training.pictures === undefined ? [] : [problem(['training', 'pictures'])]),
    ...(data.validationFraction > 0
      ? []
      : [
          {
            path: ['data', 'validationFraction'],
            message: `data.validationFraction is 0, expected a share above 0 for task.type "${task.type}"`,
          },
        ]),
  ];
}

function missing({ data, task, model }: Read): Problem[] {
  const problems: Problem[] = [];
  const problem = (path: string[], message: string) => problems.push({ path, message });
  if (task.trainTextEncoder && model.quantize !== undefined)
    problem(
      ['model', 'quantize'],
      `model.quantize is ${model.quantize}, but task.trainTextEncoder trains the text encoders too, and only a U-Net can be quantized`,
    );
  if (data.classImages !== undefined && task.classPrompt === undefined)
    problem(['task', 'classPrompt'], 'task.classPrompt is missing: the prompt of data.classImages');
  if (data.classImages === undefined)
    for (const key of ['classPrompt', 'priorWeight'] as const)
      if (task[key] !== undefined)
        problem(['task', key], `task.${key} is for class images, but data.classImages names none`);
  return problems;
}
