import type { Prediction } from '../../src/protocol/playground';
import { t } from '../ui/l10n';

/** 8.4 ms, 120 ms, 2.3 s */
export function latency(seconds: number): string {
  const ms = 1000 * seconds;
  if (ms >= 1000) return `${seconds.toFixed(1)} s`;
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

export const tokens = (count: number): string => (count === 1 ? t('1 token') : t('{0} tokens', count));

/** Indices of labels, most likely first. */
export const ranked = ({ probabilities }: Prediction): number[] =>
  [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
