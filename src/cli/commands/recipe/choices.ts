import { AuroraError } from '../../../base/errors';
import { own } from '../../../base/names';
import type { DataRecipe } from '../../../recipes/data/kind';
import { writtenNumber } from '../../../base/number-text';
import type { Recipe } from '../../../experiment/paper';
import type { Choice, Choices, Question } from '../../../recipes/draft-recipe';
import { parseOverride } from '../../../runs/experiment/overrides';
import { textAtTerminal } from '../../ask';

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
