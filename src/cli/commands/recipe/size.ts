import type { NamedLayer } from '../../../adapters/targets/select';
import { AuroraError } from '../../../base/errors';
import type { DataRecipe, Size } from '../../../recipes/data/kind';
import { modelName, paperWidth, sizeOf, sizesOf, widthOf } from '../../../recipes/data/registry';
import { textAtTerminal } from '../../ask';

/**
 * The size of the paper's model with the settings for this one: as given, or the one of the same width.
 *
 * @throws AuroraError 'usage' if neither determines it, and nobody can be asked
 */
export async function sizeFor(
  recipe: DataRecipe,
  given: string | undefined,
  model: string,
  layers: readonly NamedLayer[],
): Promise<Size> {
  const sizes = sizesOf(recipe);
  if (given !== undefined) return known(given, recipe);
  const same = sizeOf(recipe, layers);
  if (same) return same;
  const width = widthOf(layers);
  const choices = sizes.map((size) => `${size} (${modelName(recipe, size)})`).join(' or ');
  const problem = `The paper gives settings for models of width ${sizes.map((size) => paperWidth(recipe, size)).join(' and ')}, but ${model} has ${width === undefined ? 'no layers of query and value' : `width ${width}`}.`;
  const answer = await textAtTerminal(`${problem}\nWhose settings should be used, ${choices}?`);
  if (answer !== undefined) return known(answer, recipe);
  throw new AuroraError(
    'usage',
    problem,
    `Choose whose settings to use: --size ${sizes.join(' or --size ')}.`,
  );
}

function known(given: string, recipe: DataRecipe): Size {
  const sizes = sizesOf(recipe);
  const size = sizes.find((s) => s === given);
  if (size) return size;
  throw new AuroraError(
    'usage',
    `${recipe.id} has no settings for the size "${given}".`,
    sizes.length === 1
      ? `The paper trains it with ${modelName(recipe, sizes[0])} only; leave out --size.`
      : `The sizes are ${sizes.join(' and ')}.`,
  );
}
