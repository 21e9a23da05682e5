import { stepTime } from '../../src/base/time-text';
import type { Prediction } from '../../src/protocol/playground';
import { t } from '../../src/base/l10n';

export const tokens = (count: number): string => (count === 1 ? t('1 token') : t('{0} tokens', count));

/** How long it took, and how much of the text was read. */
export function measured({ seconds, tokens: count, truncated }: Prediction): string {
  const parts = [stepTime(seconds)];
  if (count !== undefined)
    parts.push(truncated ? t('the text was cut to {0}', tokens(count)) : tokens(count));
  return parts.join(' · ');
}
