import { AuroraError } from '../../base/errors';
import { nearest } from '../../base/nearest';
import { recipesOf } from '../report';
import type { Recipe } from '../../experiment/paper';
import { COMMONSENSE_DATA } from './commonsense';
import { GLUE_DATA } from './glue';
import type { DataRecipe, Size } from './kind';

/** Every data set of the paper that can be trained from its files. */
export const DATA_RECIPES: readonly DataRecipe[] = [...GLUE_DATA, COMMONSENSE_DATA];

/** @throws AuroraError 'usage' if there is no recipe of this name; capitals do not matter */
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

/** The paper's settings for a data set and a size of its models. */
export const settingsOf = ({ name, models }: DataRecipe, size: Size): Recipe =>
  recipesOf(models[size]!).find((recipe) => recipe.name === name)!;

export const sizesOf = ({ models }: DataRecipe): Size[] => Object.keys(models) as Size[];
