import { basename } from 'node:path';
import { adapterDefaults } from '../experiment/adapter-defaults';
import type { DataSpec, TaskSpec } from '../experiment/experiment';
import { aboutMethod, type AdapterSpec, isHeadAlone, isRanked, methodName } from '../experiment/methods';
import type { Recipe } from '../experiment/paper';
import { hubName } from '../experiment/hub-reference';
import { columnSettings, type TaskColumns } from '../experiment/tasks/columns';
import { describeTask, type TaskName } from '../experiment/tasks/registry';
import { writtenPath } from '../files/hub-cache';
import {
  BATCH_SIZE,
  changedComment,
  commentLines,
  recipeComments,
  recipeTraining,
  withoutLastComma,
  choiceComment,
  unaskable,
  type Choices,
} from './draft-recipe';

/** The choices for a new experiment. Paths are absolute. */
export interface Draft {
  model: string;
  /** Undefined for the tokenizer beside the model. */
  tokenizer?: string;
  /** The number of tokens that the model has positions for, if that is limited. */
  positions?: number;
  /** The longest text, in tokens; the recipe's or the default if omitted. */
  maxLength?: number;
  /** Examples of a batch; the recipe's or the default if omitted. */
  batchSize?: number;
  /** For images: undefined for the preprocessor_config.json beside the model. */
  preprocessor?: string;
  /** Undefined if the model has only one. */
  output?: string;
  train: string;
  /** A file, or the held-out share of the training file. */
  validation: string | number;
  /** A file or folder that the best adapter is scored on at the end. */
  test?: string;
  /** Files that the best adapter is scored on at the end, by name. */
  evaluations?: Record<string, string>;
  task: TaskName;
  /** For a task on pictures. */
  subject?: SubjectDraft;
  columns: TaskColumns;
  adapter: AdapterSpec;
  /** The paper's settings for one of its data sets; undefined for this program's defaults. */
  recipe?: Recipe;
  /** The pooling that a new head reads; the mean by default. */
  pooling?: TaskSpec['pooling'];
  lossOn?: TaskSpec['lossOn'];
  /** The settings for reading the data files, if not the usual ones. */
  read?: Pick<DataSpec, 'header' | 'quoting' | 'promptTemplate'>;
  /** For a recipe's own data: answers to its questions, and where the columns are from, in a sentence. */
  own?: { choices: Choices; columns: string };
}

/** The subject of the images. */
export interface SubjectDraft {
  /** Undefined where each image has its own caption. */
  prompt?: string;
  /** A folder of other images of its class, and the prompt of those. */
  classImages?: { path: string; prompt: string };
}

/** A method with all the schema's defaults. */
export const defaultAdapter = (method: AdapterSpec['method']): AdapterSpec =>
  adapterDefaults(method) as unknown as AdapterSpec;

/** The experiment as text: the choices, and the settings that are most likely to be changed next. */
export function draftText(file: string, draft: Draft): string {
  const { adapter, recipe, own } = draft;
  const path = (p: string) => writtenPath(file, p);
  const lines = [
    `// ${headline(draft)}, trained on ${shownName(draft.train)}.`,
    ...(recipe ? (own ? ownComments(recipe, own) : recipeComments(recipe)) : []),
    '// Hover over a key for its meaning, its unit and the paper’s value.',
    '{',
    '  "model": {',
    ...modelLines(draft, path).map((line) => `    ${line}`),
    '  },',
    `  "task": { ${taskKeys(draft).join(', ')} },`,
    '  "data": {',
    ...dataLines(draft, path).map((line) => `    ${line}`),
    '  },',
    ...adapterLines(adapter, recipe?.settings.dropout),
    '  "training": {',
    ...trainingLines(draft).map((line) => `    ${line}`),
    '  }',
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

function modelLines(
  { model, tokenizer, preprocessor, positions = Infinity, output, task, recipe, own, maxLength }: Draft,
  path: (p: string) => string,
): string[] {
  const length = own?.choices.get('model.maxLength');
  const usual = usualLength(recipe, positions, length?.value);
  return withoutLastComma([
    `"path": ${JSON.stringify(path(model))},`,
    ...(tokenizer ? [`"tokenizer": ${JSON.stringify(path(tokenizer))},`] : []),
    ...(preprocessor ? [`"preprocessor": ${JSON.stringify(path(preprocessor))},`] : []),
    ...(output ? [`"output": ${JSON.stringify(output)},`] : []),
    ...(describeTask(task).input === 'image' || draws(task)
      ? []
      : [
          '// In tokens; longer texts are truncated. Preflight reports how many.',
          ...(length ? commentLines(choiceComment(length).slice('// '.length)) : []),
          ...(recipe?.settings.maxLength !== undefined && maxLength !== undefined
            ? changedComment(usual, maxLength)
            : []),
          `"maxLength": ${JSON.stringify(maxLength ?? usual)},`,
        ]),
  ]);
}

/**
 * The longest text of a new experiment, in tokens: the recipe's, the chosen one or the default, and not more than the model
 * has positions for. A value that cannot be used stays as it is, to be reported.
 */
export function usualLength(
  recipe: Recipe | undefined,
  positions = Infinity,
  chosen: unknown = undefined,
): unknown {
  const wanted = recipe?.settings.maxLength ?? chosen ?? 128;
  return typeof wanted === 'number' ? Math.min(wanted, positions) : wanted;
}

function dataLines(
  { train, validation, test, evaluations = {}, task, subject, columns, read = {} }: Draft,
  path: (p: string) => string,
): string[] {
  const [key, value] =
    typeof validation === 'string' ? ['validation', path(validation)] : ['validationFraction', validation];
  const settings = [
    ['train', path(train)],
    ...(subject?.classImages ? [['classImages', path(subject.classImages.path)]] : []),
    // Nothing is held out of a few images of a subject.
    ...(draws(task) && value === 0 ? [] : [[key, value]]),
    ...columnSettings(columns),
    ...Object.entries(read),
  ];
  return withoutLastComma([
    ...settings.map(([name, v]) => `${JSON.stringify(name)}: ${listed(v)},`),
    ...(test === undefined ? [] : [TEST, `"test": ${JSON.stringify(path(test))},`]),
    ...setLines(Object.entries(evaluations), path),
  ]);
}

const TEST = '// Scored once, when training has ended. More sets, with names, go into "evaluations".';

const setLines = (sets: readonly [string, string][], path: (p: string) => string): string[] =>
  sets.length === 0
    ? []
    : [
        '// Scored once, when training has ended.',
        '"evaluations": {',
        ...withoutLastComma(
          sets.map(([name, file]) => `  ${JSON.stringify(name)}: { "path": ${JSON.stringify(path(file))} },`),
        ),
        '},',
      ];

const ownComments = (recipe: Recipe, { columns }: NonNullable<Draft['own']>): string[] => [
  ...recipeComments(recipe, unaskable(recipe), 'the model is your own'),
  ...commentLines(columns),
];

const draws = (task: TaskName): boolean => describeTask(task).answer === 'picture';

function trainingLines({ recipe, task, own, batchSize, subject }: Draft): string[] {
  if (draws(task)) return pictureTraining(subject?.prompt ?? 'a photo', batchSize);
  if (recipe) return recipeTraining(recipe, describeTask(task), own?.choices, batchSize);
  return ['"epochs": 3,', `"batchSize": ${batchSize ?? BATCH_SIZE},`, '"learningRate": 2e-3,', '"seed": 42'];
}

const pictureTraining = (prompt: string, batchSize = 1): string[] => [
  '"epochs": 100,',
  `"batchSize": ${batchSize},`,
  '// As in diffusers’ example of DreamBooth with LoRA.',
  '"learningRate": 5e-4,',
  '// In optimizer steps; the images are few, and each is measured with several amounts of noise.',
  '"evaluateEvery": 100,',
  '"seed": 42,',
  '// Drawn during training, and shown in the run’s dashboard beside the base model’s.',
  `"pictures": { "prompts": [${JSON.stringify(prompt)}], "every": 100 }`,
];

/** With the pooling of texts, but not of words, where a new head is trained. */
function taskKeys({ task, subject, pooling = 'mean', lossOn }: Draft): string[] {
  const { head, answer } = describeTask(task);
  return [
    `"type": ${JSON.stringify(task)}`,
    ...(head ? ['"head": "linear"'] : []),
    ...(head && answer !== 'spans' ? [`"pooling": ${JSON.stringify(pooling)}`] : []),
    ...(lossOn ? [`"lossOn": ${JSON.stringify(lossOn)}`] : []),
    ...(subject?.prompt === undefined ? [] : [`"instancePrompt": ${JSON.stringify(subject.prompt)}`]),
    ...(subject?.classImages ? [`"classPrompt": ${JSON.stringify(subject.classImages.prompt)}`] : []),
  ];
}

/** JSON with spaces between the items of a list. */
const listed = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map((v) => JSON.stringify(v)).join(', ')}]` : JSON.stringify(value);

function headline({ adapter, model }: Draft): string {
  if (isHeadAlone(adapter)) return `Only a head on the frozen ${shownName(model)}`;
  const rank = isRanked(adapter) ? ` of rank ${adapter.rank}` : '';
  return `${methodName(adapter)}${rank} in ${shownName(model)}`;
}

const shownName = (path: string): string => hubName(path) ?? basename(path);

function adapterLines(adapter: AdapterSpec, dropout: number | undefined): string[] {
  if (isHeadAlone(adapter)) return ['  "adapter": { "method": "none" },'];
  return [
    '  "adapter": {',
    `    "method": ${JSON.stringify(adapter.method)},`,
    ...(isRanked(adapter) ? [`    "rank": ${adapter.rank},`] : []),
    ...(aboutMethod(adapter.method).draft ?? []).flatMap(({ comment, keys }) => [
      `    // ${comment}`,
      ...keys.map((key) => `    "${key}": ${listed((adapter as unknown as Record<string, unknown>)[key])},`),
    ]),
    ...(dropout === undefined ? [] : ['    // On the input, before A.', `    "dropout": ${dropout},`]),
    `    "targetModules": ${listed(adapter.targetModules)}`,
    '  },',
  ];
}
