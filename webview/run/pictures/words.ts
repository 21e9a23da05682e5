import { samplerName } from '../../../src/experiment/pictures';
import type { RunPictures } from '../../../src/protocol/run-files/pictures';
import { t } from '../../../src/base/l10n';
import { formatCount } from '../format';
import type { Moment } from './columns';

export const momentText = (moment: Moment): string =>
  moment === 'base' ? t('Base model') : t('Step {0}', formatCount(moment));

/** How all of them were drawn. */
export function settingsText({
  sampler,
  steps,
  guidance,
  width,
  height,
  negativePrompt,
}: RunPictures): string {
  const words = t(
    'Drawn from the same noise before training and at evaluations: {0}, {1} steps, guidance {2}, {3} × {4} pixels.',
    ...[samplerName(sampler), steps, guidance, width, height],
  );
  return negativePrompt === undefined || negativePrompt === ''
    ? words
    : `${words} ${t('Negative prompt: {0}.', negativePrompt)}`;
}
