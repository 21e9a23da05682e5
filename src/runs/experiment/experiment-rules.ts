import { dataOfSet, evaluationSets, type SetColumns } from '../../experiment/evaluation-sets';
import type { DataSpec, Experiment, TaskSpec } from '../../experiment/experiment';
import {
  aboutMethod,
  type AdapterSpec,
  isHeadAlone,
  isNonlinear,
  type StartSpec,
  trainingOfOthers,
} from '../../experiment/methods';
import type { MetricName } from '../../experiment/metrics';
import { WRITTEN_SCORINGS, type WrittenScoring } from '../../experiment/scoring';
import { isWritten } from '../../experiment/tasks/kind';
import { describeTask, taskMetrics, type TaskName } from '../../experiment/tasks/registry';
import type { Problem } from './experiment-text';
import { scoringProblems } from './scoring-rules';

/** Rules that a schema cannot express: values that are valid one by one but not together. */
export function ruleProblems({ adapter, data, model, task, training }: Experiment): Problem[] {
  const problems = adapterRuleProblems(adapter);
  if (isHeadAlone(adapter) && task.head === 'none')
    problems.push({
      path: ['task', 'head'],
      message: 'task.head and adapter.method are both "none", so there is nothing to train',
    });
  problems.push(...columnProblems(['data'], data, task.type), ...imageProblems(['data'], data, task.type));
  problems.push(...choiceProblems(data, task), ...scoringProblems({ data, task, model }));
  problems.push(...pictureProblems({ data, task, training, model }));
  for (const [name, set] of Object.entries(data.evaluations ?? {}))
    for (const check of [columnProblems, imageProblems])
      problems.push(...check(['data', 'evaluations', name], set, task.type));
  if (task.head === 'linear' && !describeTask(task.type).head)
    problems.push({
      path: ['task', 'head'],
      message: `task.head is "linear", but task.type "${task.type}" uses the model's own output`,
    });
  if (task.headWeights === 'model' && task.head !== 'linear')
    problems.push({
      path: ['task', 'headWeights'],
      message: 'task.headWeights is "model", which trains a head, but task.head is "none"',
    });
  if (data.promptTemplate !== undefined) problems.push(...templateProblems(data, task.type));
  if (task.lossOn !== undefined && !isWritten(describeTask(task.type).answer))
    problems.push({
      path: ['task', 'lossOn'],
      message: `task.lossOn is for language models, and task.type is "${task.type}"`,
    });
  for (const key of ['labelSmoothing', 'classWeights'] as const)
    if (task[key] !== undefined && !['label', 'spans'].includes(describeTask(task.type).answer))
      problems.push({
        path: ['task', key],
        message: `task.${key} is for tasks with one label for each text, image or word, and task.type is "${task.type}"`,
      });
  problems.push(...metricProblems(['training', 'metric'], training.metric, task));
  for (const { key, of } of trainingOfOthers(adapter.method))
    if (training[key])
      problems.push({
        path: ['training', key],
        message: `training.${key} is ${training[key]}, but it applies only to ${of} and adapter.method is "${adapter.method}"`,
      });
  if (training.loraPlusRatio !== undefined && !aboutMethod(adapter.method).hasB)
    problems.push({
      path: ['training', 'loraPlusRatio'],
      message: `training.loraPlusRatio sets the learning rate of B, but the method ${adapter.method} has no B`,
    });
  if (training.packing && describeTask(task.type).answer !== 'text')
    problems.push({
      path: ['training', 'packing'],
      message: `training.packing is for causal-language-modeling, and task.type is "${task.type}"`,
    });
  if (training.precision === 'int8' && model.quantize === 4)
    problems.push({
      path: ['training', 'precision'],
      message:
        'training.precision is "int8" and model.quantize is 4, but only weights in float32 or in 8 bits can be computed in int8',
    });
  const { staticEpochs = 0, epochs, maxSteps, earlyStopping } = training;
  // The number of epochs that the steps take is not known before the data are read.
  if (maxSteps === undefined && staticEpochs > epochs)
    problems.push({
      path: ['training', 'staticEpochs'],
      message: `training.staticEpochs is ${staticEpochs}, more than the ${epochs} of training.epochs`,
    });
  if (staticEpochs > 0 && earlyStopping)
    problems.push({
      path: ['training', 'earlyStopping'],
      message:
        'training.earlyStopping could end the run before the epochs of training.staticEpochs, so only one of them can be set',
    });
  return problems;
}

function templateProblems({ promptTemplate, messagesColumn }: Experiment['data'], type: TaskName): Problem[] {
  const path = ['data', 'promptTemplate'];
  if (!isWritten(describeTask(type).answer))
    return [{ path, message: `data.promptTemplate is for language models, and task.type is "${type}"` }];
  if (messagesColumn !== undefined)
    return [
      {
        path,
        message:
          'data.promptTemplate is for texts, and data.messagesColumn has conversations, which have the template of the tokenizer',
      },
    ];
  return promptTemplate!.includes('{text}')
    ? []
    : [{ path, message: 'data.promptTemplate has no {text}, the place of the text' }];
}

/** Columns that the kind of task does not read. @param at the section that names them */
function columnProblems(at: string[], columns: SetColumns, type: TaskName): Problem[] {
  const { pairs, answer } = describeTask(type);
  const name = (key: string) => [...at, key].join('.');
  const problems: Problem[] = [];
  const problem = (key: keyof SetColumns, message: string) => problems.push({ path: [...at, key], message });
  if (columns.textPairColumn !== undefined && !pairs)
    problem(
      'textPairColumn',
      `${name('textPairColumn')} names a second text, but task.type "${type}" reads one text per row`,
    );
  if (columns.completionColumn !== undefined && !isWritten(answer))
    problem(
      'completionColumn',
      `${name('completionColumn')} is for language models, and task.type is "${type}"`,
    );
  if (columns.messagesColumn !== undefined && answer !== 'text')
    problem(
      'messagesColumn',
      `${name('messagesColumn')} is for language modeling, and task.type is "${type}"`,
    );
  for (const key of ['choicesColumn', 'choiceColumns'] as const)
    if (columns[key] !== undefined && answer !== 'choice')
      problem(key, `${name(key)} is for multiple choice, and task.type is "${type}"`);
  if (columns.completionColumn !== undefined && columns.messagesColumn !== undefined)
    problem(
      'messagesColumn',
      `${name('completionColumn')} and ${name('messagesColumn')} are both set; a row is a prompt with its completion or a conversation`,
    );
  for (const key of ['labelColumns', 'labelSeparator'] as const)
    if (columns[key] !== undefined && answer !== 'labels')
      problem(key, `${name(key)} is for several labels per text, which task.type "${type}" does not have`);
  return problems;
}

/** A metric that the task does not measure. */
export function metricProblems(
  path: string[],
  metric: MetricName,
  task: Pick<TaskSpec, 'type' | 'scoring'>,
): Problem[] {
  const measured = [...taskMetrics(task), 'loss'];
  if (measured.includes(metric)) return [];
  const key = path.join('.');
  const named = (metrics: readonly string[]) => metrics.map((m) => `"${m}"`).join(', ');
  const scoring = (Object.keys(WRITTEN_SCORINGS) as WrittenScoring[]).find(
    (s) => WRITTEN_SCORINGS[s] === metric && describeTask(task.type).answer === 'text',
  );
  const message =
    scoring === undefined
      ? `${key} is "${metric}", expected one of ${named(measured)} for task.type "${task.type}"`
      : `${key} is "${metric}", which needs "${scoring}" in task.scoring; without it, expected one of ${named(measured)}`;
  return [{ path, message }];
}

/** Settings of images in a task on texts, and the other way round. @param at the section that has them */
function imageProblems(
  at: string[],
  data: SetColumns & Pick<DataSpec, 'augmentation'>,
  type: TaskName,
): Problem[] {
  const problem = (key: string, what: string) => ({
    path: [...at, key],
    message: `${[...at, key].join('.')} is for ${what}, and task.type is "${type}"`,
  });
  const { input, answer } = describeTask(type);
  if (input === 'image') return data.textColumn === undefined ? [] : [problem('textColumn', 'texts')];
  const others =
    answer === 'picture' ? (['augmentation'] as const) : (['imageColumn', 'augmentation'] as const);
  return others.filter((key) => data[key] !== undefined).map((key) => problem(key, 'images'));
}

/** The problems of an adapter's settings only. */
export function adapterRuleProblems(adapter: AdapterSpec): Problem[] {
  const problems: Problem[] = [];
  if (isNonlinear(adapter)) {
    const [low, high] = adapter.gridRange;
    if (!(low < high))
      problems.push({
        path: ['adapter', 'gridRange'],
        message: `adapter.gridRange is [${low}, ${high}], expected the lower end first`,
      });
    if (!adapter.fixed && !adapter.learnable)
      problems.push({
        path: ['adapter', 'learnable'],
        message:
          'adapter.fixed and adapter.learnable are both false, so the adapter’s output would always be zero',
      });
  }
  if ('loraBias' in adapter && adapter.loraBias && adapter.initialization !== 'kaiming-uniform')
    problems.push({
      path: ['adapter', 'initialization'],
      message: `adapter.initialization is "${adapter.initialization}", but PEFT allows only its default, "kaiming-uniform", with adapter.loraBias`,
    });
  problems.push(...startProblems(adapter));
  return problems;
}

/** Settings of one initialization. */
const OF_INITIALIZATION = {
  eva: ['evaRho', 'evaTau', 'evaWhiten'],
  corda: ['cordaMethod', 'cordaSamples'],
} as const;

function startProblems(adapter: AdapterSpec): Problem[] {
  if (!('initialization' in adapter)) return [];
  const given = adapter as Partial<StartSpec>;
  return Object.entries(OF_INITIALIZATION).flatMap(([initialization, keys]) =>
    initialization === adapter.initialization
      ? []
      : keys
          .filter((key) => given[key] !== undefined)
          .map((key) => ({
            path: ['adapter', key],
            message: `adapter.${key} is for adapter.initialization "${initialization}", which is "${adapter.initialization}"`,
          })),
  );
}

const SOURCES = ['choicesColumn', 'choiceColumns', 'completionColumn'] as const;

/** Questions with choices need them from one place. */
function choiceProblems(data: DataSpec, { type }: TaskSpec): Problem[] {
  if (describeTask(type).answer !== 'choice') return [];
  return [
    ...sourceProblems(['data', 'choicesColumn'], data),
    ...evaluationSets(data).flatMap((set) => sourceProblems([...set.key], dataOfSet(data, set))),
  ].slice(0, 1);
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
function pictureProblems(spec: Read): Problem[] {
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
