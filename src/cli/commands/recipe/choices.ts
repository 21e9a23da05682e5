import { applyEdits, modify } from 'jsonc-parser';
import type { NamedLayer } from '../../../adapters/targets/select';
import { AuroraError } from '../../../base/errors';
import { own } from '../../../base/names';
import { writtenNumber } from '../../../base/number-text';
import type { Recipe } from '../../../experiment/paper';
import type { DataRecipe, Size } from '../../../recipes/data/data-kind';
import { modelName, paperWidth, sizeOf, sizesOf, widthOf } from '../../../recipes/data/data-set-registry';
import type { Choice, Choices, Question } from '../../../recipes/draft-recipe';
import { parseOverride } from '../../../runs/experiment/overrides';
import { textAtTerminal } from '../../owning';

/**
 * The settings that no source states, as given with --set, accepted with --defaults, or asked for in the terminal.
 *
 * @param others values of the data's distributors
 * @param set settings from the command line, by key
 * @throws AuroraError 'usage' with all questions if some are open and nobody can be asked
 */
export async function chooseOpen(
  { name }: Recipe,
  questions: readonly Question[],
  others: NonNullable<DataRecipe['others']>,
  set: ReadonlyMap<string, unknown>,
  acceptDefaults: boolean,
): Promise<Choices> {
  const choices = new Map<string, Choice>();
  for (const question of questions) {
    const { key, fallback } = question;
    if (set.has(key)) choices.set(key, { value: set.get(key), by: 'user' });
    else if (own(others, key)) choices.set(key, { ...own(others, key)!, by: 'other' });
    else if (acceptDefaults) choices.set(key, { value: fallback, by: 'default' });
    else {
      const answer = await textAtTerminal(
        `Not stated in the paper: ${about(question)} [${written(fallback)}]`,
      );
      if (answer === undefined)
        throw openError(
          name,
          questions.filter((q) => !set.has(q.key) && !own(others, q.key)),
        );
      choices.set(
        key,
        answer === ''
          ? { value: fallback, by: 'default' }
          : { value: parseOverride(`${key}=${answer}`).value, by: 'user' },
      );
    }
  }
  return choices;
}

const about = ({ words, key }: Question): string => `${words}, ${key}`;

/** The value as after --set KEY=. */
export const written = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'number'
      ? writtenNumber(value)
      : JSON.stringify(value);

function openError(name: string, open: readonly Question[]): AuroraError {
  const defaults = open.map(({ key, fallback }) => `--set ${key}=${written(fallback)}`);
  return new AuroraError(
    'usage',
    `No source states these settings for ${name}, and this is not an interactive terminal: ${open.map(about).join('; ')}.`,
    `State each with --set, or accept this program’s defaults with --defaults: ${defaults.join(' ')}`,
  );
}

const FORMAT = { formattingOptions: { insertSpaces: true, tabSize: 2 } };

/** An experiment's text with other settings; its comments stay. The values are checked when it is read. */
export function withSettings(text: string, settings: ReadonlyMap<string, unknown>): string {
  let changed = text;
  for (const [key, value] of settings)
    changed = applyEdits(changed, modify(changed, key.split('.'), value, FORMAT));
  return changed;
}

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
