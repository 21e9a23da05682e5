import { POSITIONS } from '../../architectures/blocks/network';
import { AuroraError } from '../../base/errors';
import type { ModelSpec } from '../../experiment/experiment';
import type { Model } from '../../graph/model';

/**
 * Requires that a model has a position for each token of the longest text, as far as it says how many it has.
 *
 * @throws AuroraError 'experiment'
 */
export function requirePositions({ metadata }: Model, { path, maxLength }: ModelSpec): void {
  const most = metadata.get(POSITIONS);
  if (most === undefined || maxLength <= Number(most)) return;
  throw new AuroraError(
    'experiment',
    `model.maxLength is ${maxLength}, but ${path} has positions for ${most} tokens.`,
    `Set model.maxLength to ${most} or less.`,
  );
}
