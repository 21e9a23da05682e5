import type { Tokenizer } from '../../data/text/tokenizer';
import type { Experiment } from '../../experiment/experiment';
import schema from '../../experiment/experiment.schema.json';

/** Below this share, truncated texts are not worth reporting. */
const WORTH_REPORTING = 0.01;

const DEFAULT_LENGTH = schema.properties.model.properties.maxLength.default;

/**
 * The share of the training texts that `model.maxLength` truncates; undefined if it is not worth reporting. `chosen`: the
 * length differs from the default, so it was chosen, for speed or memory.
 */
export function truncation(
  { model }: Pick<Experiment, 'model'>,
  { examples, truncatedCount }: { examples: { length: number }; truncatedCount: number },
): { share: number; chosen: boolean } | undefined {
  const share = truncatedCount / examples.length;
  return share >= WORTH_REPORTING ? { share, chosen: model.maxLength !== DEFAULT_LENGTH } : undefined;
}

/**
 * Shortens a text that is too long: it loses its beginning, as in lm-evaluation-harness, but not a special token that
 * begins every text.
 *
 * @param ids of the text
 * @returns the number of tokens that it loses, and a function that shortens a list with an item for each token
 */
export function shorten(ids: readonly number[], length: number, { specialIds }: Tokenizer) {
  const over = Math.max(0, ids.length - length);
  const kept = over > 0 && specialIds.has(ids[0]) ? 1 : 0;
  const left = <T>(all: readonly T[]): T[] => [...all.slice(0, kept), ...all.slice(kept + over)];
  return { over, left };
}
