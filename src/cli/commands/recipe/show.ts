import { capital } from '../../../base/text';
import { wrap } from '../../../base/wrap';
import { PAPER_METRIC_LABELS, type Recipe } from '../../../experiment/paper';
import { settingText } from '../../../experiment/sweep';
import { columnSettings } from '../../../experiment/tasks/columns';
import { describeTask } from '../../../experiment/tasks/registry';
import { hubSet } from '../../../recipes/data/hub-sets';
import { type DataRecipe, type Layout, NOT_STATED, type Sourced } from '../../../recipes/data/data-kind';
import { DATA_RECIPES, settingsOf, sizesOf } from '../../../recipes/data/data-set-registry';
import { type Question, questionsOf, recipeModel, SHARE, unaskable } from '../../../recipes/draft-recipe';
import { SUBJECT_TASK } from '../../../recipes/dreambooth';
import { SDXL } from '../../../recipes/model-shapes';
import { PAPER } from '../../../recipes/paper-data';
import { publishedScores } from '../../../recipes/paper-report';
import { program } from '../../suggested-commands';
import { table } from '../../table';
import { written } from './choices';
import { DREAMBOOTH } from './dreambooth';

/** Characters in a line of text. */
export const WIDTH = 112;
const SOURCE = `AuroRA, ${PAPER.source}`;

/** All facts of a recipe, each with its source, and the open choices. */
export function showText(recipe: DataRecipe): string {
  const sizes = sizesOf(recipe).map((size) => settingsOf(recipe, size));
  return `${[
    `${recipe.id}: ${recipe.name}`,
    '',
    ...factLines(recipe, sizes[0]),
    '',
    ...recipe.layouts.flatMap(layoutLines),
    `Settings (${SOURCE})`,
    ...settingLines(sizes),
    '',
    `${capital(NOT_STATED)}: asked for when the experiment is written; in brackets, this program’s defaults`,
    ...table(
      openOf(recipe, sizes[0]).map(({ words, key, fallback }) => [
        `  ${words}`,
        key,
        // It follows the adapters' rate, which differs by size.
        `[${key === 'training.headLearningRate' ? 'training.learningRate' : written(fallback)}]`,
      ]),
    ),
    ...unaskable(sizes[0]).map((words) => `  ${words}: not an experiment setting`),
    '',
    ...leftOutLines(recipe),
  ].join('\n')}\n`;
}

/** The questions to ask: choices that the paper leaves open, and nobody else states. */
const openOf = ({ validated, others = {} }: DataRecipe, settings: Recipe): Question[] =>
  [...(validated ? [] : [SHARE]), ...questionsOf(settings)].filter(({ key }) => !Object.hasOwn(others, key));

function onHub({ id }: DataRecipe): Sourced<string> | undefined {
  const set = hubSet(id);
  return set && { value: `${set.repo}, ${set.config}`, source: set.source };
}

function factLines(recipe: DataRecipe, { dataSets }: Recipe): string[] {
  const { task, labels, classes, pooling, lossOn, others = {}, split } = recipe;
  const metrics = [...new Set(dataSets.map(({ metric }) => PAPER_METRIC_LABELS[metric]))].join(', ');
  const facts: [name: string, fact: Sourced<unknown> | undefined][] = [
    ['task', task],
    ['on the hub', onHub(recipe)],
    ['labels', labels && { value: labels.value.join(', '), source: `${labels.source}, in this order` }],
    ['number of labels', classes && { value: classes.value.join(', '), source: classes.source }],
    ['pooling', pooling],
    ['loss on', lossOn],
    ['metric', { value: metrics, source: SOURCE }],
    ...Object.entries(others),
    ['split', split],
  ];
  const width = 2 + Math.max(...facts.map(([name, fact]) => (fact ? name.length : 0)));
  return facts.flatMap(([name, fact]) =>
    fact === undefined
      ? []
      : [
          `${name.padEnd(width)}${written(fact.value)}`,
          ...wrap(`Source: ${fact.source}`, WIDTH - width).map((line) => `${' '.repeat(width)}${line}`),
        ],
  );
}

const layoutLines = ({ title, train, validation, columns, read, source }: Layout): string[] => [
  `${capital(title)}: ${[train[0], ...validation.slice(0, 1)].join(', ')}`,
  `  ${[...columnSettings(columns), ...Object.entries(read)].map(([key, value]) => `"${key}": ${JSON.stringify(value)}`).join(', ')}`,
  `  Source: ${source}`,
  '',
];

function settingLines(sizes: readonly Recipe[]): string[] {
  const keys = [
    ...new Set(sizes.flatMap(({ settings }) => Object.keys(settings))),
  ] as (keyof Recipe['settings'])[];
  const published = sizes.map((recipe) => publishedScores(recipe));
  return table(
    [
      ['', ...sizes.map((recipe) => recipeModel(recipe).name)],
      ['  method', ...sizes.map(() => 'AuroRA')],
      ['  rank', ...sizes.map(() => String(PAPER.rank))],
      ['  alpha', ...sizes.map(() => String(PAPER.alpha))],
      ['  layers', ...sizes.map((recipe) => recipeModel(recipe).targets.join(', '))],
      ['  optimizer', ...sizes.map(() => 'AdamW')],
      ...keys.map((key) => [
        `  ${key}`,
        ...sizes.map(({ settings }) => settingText(key, settings[key] ?? NOT_STATED)),
      ]),
      ['  published', ...published.map(({ aurora, lora }) => `${aurora} (LoRA ${lora})`)],
    ],
    '   ',
  );
}

export const leftOutLines = ({ leftOut }: DataRecipe): string[] =>
  leftOut.length === 0
    ? []
    : [
        'Not in the experiment:',
        ...leftOut.flatMap((sentence) => wrap(sentence, WIDTH - 2).map((line) => `  ${line}`)),
      ];

/** Every recipe, with its task, its metric and the paper's models. */
export function listText(): string {
  const rows = DATA_RECIPES.map((recipe) => {
    const sizes = sizesOf(recipe);
    const { dataSets } = settingsOf(recipe, sizes[0]);
    return [
      `  ${recipe.id}`,
      describeTask(recipe.task.value).title,
      [...new Set(dataSets.map(({ metric }) => PAPER_METRIC_LABELS[metric]))].join(', '),
      sizes.map((size) => recipe.models[size]).join(', '),
    ];
  });
  const subject = [`  ${DREAMBOOTH}`, describeTask(SUBJECT_TASK).title, '', SDXL.id];
  return `${[
    `The data sets of the AuroRA paper (${PAPER.source}) that can be trained from their files:`,
    ...table([['', 'task', 'metric', 'the paper’s models'], ...rows, subject], '   '),
    '',
    `${program()} recipe NAME                             its columns, settings and their sources`,
    `${program()} recipe NAME --model MODEL --data FOLDER    writes the experiment`,
  ].join('\n')}\n`;
}
