import schema from '../../experiment/experiment.schema.json';
import type { Experiment } from '../../experiment/experiment';

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
