import { likelyTargets, type NamedLayer } from '../../adapters/targets/select';
import { AuroraError } from '../../base/errors';
import { nearest } from '../../base/nearest';
import type { Recipe } from '../../experiment/paper';
import { isWritten } from '../../experiment/tasks/kind';
import { describeTask, type TaskName } from '../../experiment/tasks/registry';
import { PAPER_MODELS, type PaperModel } from '../model-shapes';
import { recipesOf } from '../paper-report';
import { COMMONSENSE_DATA } from './commonsense';
import type { DataRecipe, Size } from './data-kind';
import { GLUE_DATA } from './glue';
import { IMAGE_DATA } from './image-sets';

/** Every data set of the paper that can be trained from its files. */
export const DATA_RECIPES: readonly DataRecipe[] = [...GLUE_DATA, COMMONSENSE_DATA, ...IMAGE_DATA];

/** @throws AuroraError 'usage' if no recipe has this name; case does not matter */
export function dataRecipe(name: string): DataRecipe {
  const wanted = name.toLowerCase();
  const found = DATA_RECIPES.find(({ id, alias }) => id === wanted || alias === wanted);
  if (found) return found;
  const near = nearest(
    wanted,
    DATA_RECIPES.map(({ id }) => id),
  );
  throw new AuroraError(
    'usage',
    `There is no recipe "${name}".`,
    near === undefined ? 'List the recipes with `aurora recipe`.' : `Did you mean "${near}"?`,
  );
}

/** The paper's models, first those that it trains on data with the task's input and answer. */
export function modelsFor(task: TaskName): readonly PaperModel[] {
  const like = (other: TaskName) =>
    describeTask(other).input === describeTask(task).input &&
    isWritten(describeTask(other).answer) === isWritten(describeTask(task).answer);
  const fits = ({ id }: PaperModel) =>
    Number(DATA_RECIPES.some((r) => Object.values(r.models).includes(id) && like(r.task.value)));
  return [...PAPER_MODELS].sort((a, b) => fits(b) - fits(a));
}

/** The paper's settings for a data set and a size of its models. */
export const settingsOf = ({ name, models }: DataRecipe, size: Size): Recipe =>
  recipesOf(models[size]!).find((recipe) => recipe.name === name)!;

const paperModel = ({ models }: DataRecipe, size: Size) =>
  PAPER_MODELS.find(({ id }) => id === models[size])!;

export const modelName = (recipe: DataRecipe, size: Size): string => paperModel(recipe, size).name;

/** The width of the hidden states of the paper's model. */
export const paperWidth = (recipe: DataRecipe, size: Size): number | undefined =>
  widthOf(paperModel(recipe, size).modules);

/** The size of the paper's model whose settings suit a model: the only one, or that of the same width. */
export function sizeOf(recipe: DataRecipe, layers: readonly NamedLayer[]): Size | undefined {
  const sizes = sizesOf(recipe);
  const width = widthOf(layers);
  return sizes.length === 1 ? sizes[0] : sizes.find((size) => paperWidth(recipe, size) === width);
}

/** Inputs of the first layer of query, value or both: the width of the hidden states. */
export function widthOf(layers: readonly NamedLayer[]): number | undefined {
  const [target] = likelyTargets(layers);
  return target === undefined
    ? undefined
    : layers.find(({ path }) => path === target || path.endsWith(`.${target}`))?.inFeatures;
}

export const sizesOf = ({ models }: DataRecipe): Size[] => Object.keys(models) as Size[];
