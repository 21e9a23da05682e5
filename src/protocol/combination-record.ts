import { t } from '../base/l10n';
import { shortNumber } from '../base/number-text';
import type { Combination, MajoritySignMethod } from './combination';

/** The adapters and the rule that a combined run was made with, in its journal. */
export interface CombinationRecord {
  combination: Combination;
  adapters: CombinedAdapter[];
  /** The rank that was asked for, or the largest of the adapters; only with a singular value decomposition. */
  rank?: number;
  /** The share of values that was kept. */
  density?: number;
  majoritySignMethod?: MajoritySignMethod;
  /** The seed of the dropped values. */
  seed?: number;
  /** The adapter whose head was chosen, if they differ. */
  headOf?: string;
}

export interface CombinedAdapter {
  /** The user's name for a run, or the name of its folder or the adapter's. */
  name: string;
  weight: number;
  /** The optimizer steps of a run. */
  step?: number;
  /** True if AuroRA's nonlinearity was replaced by its linear fit. */
  fitted?: true;
}

/** The rule and the adapters with their weights in one line: "ties (density 0.5) of a × 1, b × 0.5". */
export function combinationText({
  combination,
  adapters,
  rank,
  density,
  seed,
}: Omit<CombinationRecord, 'headOf'>): string {
  const settings = [
    ...(rank === undefined ? [] : [t('rank {0}', rank)]),
    ...(density === undefined ? [] : [t('density {0}', shortNumber(density))]),
    ...(seed === undefined ? [] : [t('seed {0}', seed)]),
  ];
  const rule = settings.length > 0 ? `${combination} (${settings.join(', ')})` : combination;
  const terms = adapters.map(
    ({ name, weight, fitted }) => `${fitted ? t('{0}, fitted,', name) : name} × ${shortNumber(weight)}`,
  );
  return t('{0} of {1}', rule, terms.join(', '));
}
