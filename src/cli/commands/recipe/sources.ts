import { type AdapterSpec, isHeadAlone, isNonlinear } from '../../../experiment/methods';
import { PAPER_METRIC_LABELS, type Recipe } from '../../../experiment/paper';
import { columnSettings } from '../../../experiment/tasks/columns';
import type { DataRecipe, Layout } from '../../../recipes/data/kind';
import { recipeModel, type Choice, type Choices } from '../../../recipes/draft-recipe';
import { PAPER } from '../../../recipes/paper-data';
import type { Experiment } from '../../../experiment/experiment';

/** A setting of an experiment, dotted, and where its value is from. */
export type SettingSource = [key: string, source: string];

/** The source of each setting that a recipe writes, in the order of the file. */
export function settingSources(
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
