import { POSITIONS, SCALED_AFTER } from '../../architectures/blocks/network';
import { AuroraError } from '../../base/errors';
import type { ModelSpec } from '../../experiment/experiment';
import type { Model } from '../../graph/model';

/**
 * Requires that a model has a position for each token of the longest text, as far as it states its number of positions,
 * and that packed texts have the positions that they have alone.
 *
 * @param packing true if texts share rows of up to maxLength tokens
 * @throws AuroraError 'experiment'
 */
export function requirePositions({ metadata }: Model, { path, maxLength }: ModelSpec, packing = false): void {
  const isLongerThan = (most: string | undefined) => most !== undefined && maxLength > Number(most);
  const most = metadata.get(POSITIONS);
  if (isLongerThan(most))
    throw new AuroraError(
      'experiment',
      `model.maxLength is ${maxLength}, but ${path} has positions for ${most} tokens.`,
      `Set model.maxLength to ${most} or less.`,
    );
  const scaled = metadata.get(SCALED_AFTER);
  if (packing && isLongerThan(scaled))
    throw new AuroraError(
      'experiment',
      `training.packing makes rows of up to ${maxLength} tokens (model.maxLength), but ${path} scales the positions of more than ${scaled} tokens in another way (rope_scaling).`,
      `Set model.maxLength to ${scaled} or less, or training.packing to false.`,
    );
}
