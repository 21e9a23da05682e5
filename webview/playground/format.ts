import type { Prediction } from '../../src/protocol/playground';
import { t } from '../ui/l10n';

/** 8.4 ms, 120 ms, 2.3 s */
export function latency(seconds: number): string {
  const ms = 1000 * seconds;
  if (ms >= 1000) return `${seconds.toFixed(1)} s`;
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

export const tokens = (count: number): string => (count === 1 ? t('1 token') : t('{0} tokens', count));

/** How long it took, and how much of the text was read. */
export function measured({ seconds, tokens: count, truncated }: Prediction): string {
  const parts = [latency(seconds)];
  if (count !== undefined)
    parts.push(truncated ? t('the text was cut to {0}', tokens(count)) : tokens(count));
  return parts.join(' · ');
}
