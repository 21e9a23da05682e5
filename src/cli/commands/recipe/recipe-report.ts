import { relative } from 'node:path';
import { count } from '../../../base/number-text';
import { wrap } from '../../../base/wrap';
import type { Experiment } from '../../../experiment/experiment';
import { type AdapterSpec, isHeadAlone, isNonlinear } from '../../../experiment/methods';
import { PAPER_METRIC_LABELS, type Recipe } from '../../../experiment/paper';
import { columnSettings } from '../../../experiment/tasks/columns';
import type { FoundFiles } from '../../../recipes/data/files';
import type { DataRecipe, Layout } from '../../../recipes/data/data-kind';
import { type Choice, type Choices, recipeModel, unaskable } from '../../../recipes/draft-recipe';
import { PAPER } from '../../../recipes/paper-data';
import { hints } from '../../output';
import { commandLine } from '../../suggested-commands';
import { table } from '../../table';
import type { Checked } from './recipe-check';
import { written } from './choices';
import type { FoundEvaluations } from './data-folder';
import { leftOutLines, WIDTH } from './show';

export interface WrittenRecipe {
  out: string;
  recipe: DataRecipe;
  settings: Recipe;
  found: FoundFiles;
  choices: Choices;
  /** Other settings from the command line. */
  others: ReadonlyMap<string, unknown>;
  checked: Checked;
  evaluations: FoundEvaluations;
}

/** A longer value is cut in the table. */
const LONGEST = 40;

/** The written experiment, each value with its source, and the parts that it does not have. */
export function writtenText(all: WrittenRecipe): string {
  const { out, recipe, settings, found, choices, others, checked, evaluations } = all;
  const { spec } = checked;
  const sources = new Map([
    ...settingSources(spec, recipe, found.layout, settings, choices),
    ...[...others.keys()].map((key) => [key, 'your choice (--set)'] as const),
  ]);
  const rows = [...sources].map(([key, source]) => [
    `  ${key}`,
    shortened(written(valueAt(spec, key))),
    source,
  ]);
  return `${[
    `Wrote ${out}`,
    '',
    ...table([['', 'value', 'source'], ...rows], '   '),
    ...unaskable(settings).map((words) => `  Not stated, and no setting: ${words}.`),
    '',
    ...dataLines(checked),
    ...(found.test === undefined ? [] : [`  ${found.test} is not used.`]),
    ...missingLines(evaluations),
    ...(['data.validation', 'data.validationFraction'].some((key) => others.has(key))
      ? []
      : wrap(`Split: ${recipe.split.value}. Source: ${recipe.split.source}.`, WIDTH - 2).map(
          (line) => `  ${line}`,
        )),
    '',
    ...leftOutLines(recipe),
    ...hints('', `Next: ${commandLine('preflight', relative(process.cwd(), out))}`),
  ].join('\n')}\n`;
}

/** Sets that the data set is meant for, and the next steps for them. */
const missingLines = ({ missing }: FoundEvaluations): string[] =>
  missing.length === 0
    ? []
    : wrap(
        `Not found, and so not scored: ${missing.join(', ')}. Add their files to data.evaluations.`,
        WIDTH - 2,
      ).map((line) => `  ${line}`);

const valueAt = (spec: Experiment, key: string): unknown =>
  key
    .split('.')
    .reduce<unknown>((at, part) => Object.entries(at as object).find(([k]) => k === part)?.[1], spec);

const shortened = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

function dataLines({ spec, data, adapterParameters }: Checked): string[] {
  const { train, validation, labels, assumed } = data;
  const from = (path: string) => relative(process.cwd(), path);
  const rows = ({ dataset }: typeof train) => count(dataset.examples.length);
  const where = spec.data.validation === undefined ? 'held out' : `of ${from(spec.data.validation)}`;
  const { truncatedCount } = train.dataset;
  return [
    'Read as training will read it:',
    `  ${rows(train)} training rows of ${from(spec.data.train)}, ${rows(validation)} validation rows ${where}.`,
    ...(labels.length > 1 ? [`  Labels: ${labels.join(', ')}.`] : []),
    ...(truncatedCount > 0
      ? [`  ${count(truncatedCount)} training texts are longer than model.maxLength.`]
      : []),
    ...assumed.map(({ message }) => `  ${message}`),
    `  ${count(adapterParameters)} adapter parameters are trained.`,
  ];
}

/** A setting of an experiment, dotted, and where its value is from. */
export type SettingSource = [key: string, source: string];

/** The source of each setting that a recipe writes, in the order of the file. */
function settingSources(
  { task, training, adapter, data }: Experiment,
  recipe: DataRecipe,
  layout: Layout,
  settings: Recipe,
  choices: Choices,
): SettingSource[] {
  const paper = `${PAPER.source}, ${recipeModel(settings).name}`;
  const { maxLength, dropout, ...stated } = settings.settings;
  const rows: [key: string, source: string | undefined][] = [
    ['model.maxLength', maxLength === undefined ? undefined : paper],
    ['task.type', recipe.task.source],
    ['task.pooling', task.head === 'linear' ? recipe.pooling?.source : undefined],
    ['task.lossOn', recipe.lossOn?.source],
    ...[...columnSettings(layout.columns), ...Object.entries(layout.read)].map(([key]): SettingSource => [
      `data.${key}`,
      layout.source,
    ]),
    ['data.evaluations', data.evaluations ? layout.source : undefined],
    ...adapterSources(adapter, settings, paper),
    ['adapter.dropout', dropout === undefined || !('dropout' in adapter) ? undefined : paper],
    ...Object.keys(stated).map((key): SettingSource => [`training.${key}`, paper]),
    ['training.metric', metricSource(training.metric, settings)],
    ...[...choices].map(([key, choice]): SettingSource => [key, choiceSource(choice)]),
  ];
  return rows.filter((row): row is SettingSource => row[1] !== undefined);
}

const choiceSource = (choice: Choice): string =>
  choice.by === 'other'
    ? `not stated in the paper: ${choice.source}`
    : choice.by === 'user'
      ? 'not stated: your choice'
      : 'not stated: this program’s default';

function metricSource(metric: string, { dataSets }: Recipe): string {
  const paper = dataSets[0].metric;
  return metric === paper
    ? PAPER.source
    : `this program’s default; ${PAPER.source} has ${PAPER_METRIC_LABELS[paper]}`;
}

function adapterSources(adapter: AdapterSpec, settings: Recipe, paper: string): SettingSource[] {
  if (isHeadAlone(adapter)) return [['adapter.method', 'your choice (--method)']];
  const { targets } = recipeModel(settings);
  const same = JSON.stringify(adapter.targetModules) === JSON.stringify(targets);
  return [
    ...(isNonlinear(adapter)
      ? ['method', 'rank', 'alpha'].map((key): SettingSource => [`adapter.${key}`, paper])
      : [['adapter.method', 'your choice (--method)'] as SettingSource]),
    ['adapter.targetModules', same ? paper : `${paper} has ${targets.join(', ')}, which this model does not`],
  ];
}
