import { AuroraError } from '../../base/errors';
import { offeredChoices } from '../../data/table/offered-choices';
import type { ChoiceFormat } from './choice-format';
import type { Input } from '../kind';

/**
 * The choices of a question that a person asks: those that come with it or, in the layout of Commonsense170K, those that
 * it offers.
 *
 * @throws AuroraError 'data' if there are fewer than two
 */
export function requireChoices({ text, choices }: Input, { lead }: ChoiceFormat): readonly string[] {
  const found = choices ?? (lead === undefined ? undefined : offeredChoices(text)) ?? [];
  if (found.length >= 2) return found;
  throw new AuroraError(
    'data',
    'The question has fewer than two choices.',
    lead === undefined
      ? 'Give the choices too; in a terminal, after the question, with a tab before each.'
      : 'End it as in the data, with a line such as "Answer format: answer1/answer2", or give the choices too.',
  );
}
