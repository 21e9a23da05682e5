import { AuroraError } from '../../../base/errors';
import { likelyTargets } from '../../../adapters/targets/likely-targets';
import type { NamedLayer } from '../../../adapters/targets/select';
import type { DataRecipe, Size } from '../../../recipes/data/kind';
import { sizesOf } from '../../../recipes/data/registry';
import { PAPER_MODELS } from '../../../recipes/models';
import { textAtTerminal } from '../../ask';

/**
 * Which of the paper's models has the settings for this one: as given, or the one of the same width.
 *
 * @throws AuroraError 'usage' if neither says it, and nobody can be asked
 */
export async function sizeFor(
  recipe: DataRecipe,
  given: string | undefined,
  model: string,
  layers: readonly NamedLayer[],
): Promise<Size> {
  const sizes = sizesOf(recipe);
  if (given !== undefined) return known(given, recipe);
  if (sizes.length === 1) return sizes[0];
  const width = widthOf(layers);
  const same = sizes.find((size) => widthOf(paperModel(recipe, size).modules) === width);
  if (same) return same;
  const choices = sizes.map((size) => `${size} (${paperModel(recipe, size).name})`).join(' or ');
  const problem = `The paper gives settings for models of width ${sizes.map((size) => widthOf(paperModel(recipe, size).modules)).join(' and ')}, and ${model} has ${width === undefined ? 'no layers of query and value' : `width ${width}`}.`;
  const answer = await textAtTerminal(`${problem}\nWhose settings should be used, ${choices}?`);
  if (answer !== undefined) return known(answer, recipe);
  throw new AuroraError(
    'usage',
    problem,
    `Choose whose settings to use: --size ${sizes.join(' or --size ')}.`,
  );
}

const paperModel = ({ models }: DataRecipe, size: Size) =>
  PAPER_MODELS.find(({ id }) => id === models[size])!;

/** Inputs of the first layer that would be adapted: the width of the hidden states. */
function widthOf(layers: readonly NamedLayer[]): number | undefined {
  const [target] = likelyTargets(layers);
  return target === undefined
    ? undefined
    : layers.find(({ path }) => path === target || path.endsWith(`.${target}`))?.inFeatures;
}

function known(given: string, recipe: DataRecipe): Size {
  const sizes = sizesOf(recipe);
  const size = sizes.find((s) => s === given);
  if (size) return size;
  throw new AuroraError(
    'usage',
    `${recipe.id} has no settings for the size "${given}".`,
    sizes.length === 1
      ? `The paper trains it with ${paperModel(recipe, sizes[0]).name} only; leave out --size.`
      : `The sizes are ${sizes.join(' and ')}.`,
  );
}
