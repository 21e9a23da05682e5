import { t } from '../base/l10n';

/** Rules that make one LoRA of several, by PEFT's names: `combination_type` of `LoraModel.add_weighted_adapter`. */
export const COMBINATIONS = [
  'svd',
  'cat',
  'linear',
  'ties',
  'ties_svd',
  'dare_linear',
  'dare_linear_svd',
  'dare_ties',
  'dare_ties_svd',
  'magnitude_prune',
  'magnitude_prune_svd',
] as const;
export type Combination = (typeof COMBINATIONS)[number];

/** `total`: the sign of the sum of the values; `frequency`: that of most of them. */
export const MAJORITY_SIGN_METHODS = ['total', 'frequency'] as const;
export type MajoritySignMethod = (typeof MAJORITY_SIGN_METHODS)[number];

/** The steps of a combination. */
export interface CombinationSteps {
  /** Values set to 0 first: the smallest, or random ones, whose loss the others make up for. */
  prunes?: 'magnitude' | 'random';
  /** True if each value is the mean of those whose sign the majority has, rather than a sum. */
  elects: boolean;
  /** True if it works on the changes of the weights, which a singular value decomposition then brings to a rank. */
  decomposes: boolean;
}

export const combinationSteps = (combination: Combination): CombinationSteps => ({
  prunes: combination.startsWith('dare')
    ? 'random'
    : /^(ties|magnitude)/.test(combination)
      ? 'magnitude'
      : undefined,
  elects: combination.includes('ties'),
  decomposes: combination.endsWith('svd'),
});

/** A combination in a sentence. */
export function combinationWords(combination: Combination): string {
  switch (combination) {
    case 'svd':
      return t('The weighted sum of the changes, brought to one rank by its largest singular values.');
    case 'cat':
      return t('The weighted sum of the changes, exactly; the ranks add up.');
    case 'linear':
      return t('A weighted sum of A, and one of B. Their product is not the sum of the changes.');
    case 'ties':
      return t('TIES on A and B: the largest values, then the mean of those with the sign of the majority.');
    case 'ties_svd':
      return t('TIES on the changes, then brought to one rank.');
    case 'dare_linear':
      return t('DARE on A and B: random values are dropped and the others scaled up, then summed.');
    case 'dare_linear_svd':
      return t('DARE on the changes, then brought to one rank.');
    case 'dare_ties':
      return t('DARE on A and B, then the mean of the values with the sign of the majority.');
    case 'dare_ties_svd':
      return t('DARE with the sign of the majority on the changes, then brought to one rank.');
    case 'magnitude_prune':
      return t('The largest values of A and B, summed.');
    case 'magnitude_prune_svd':
      return t('The largest values of the changes, summed, then brought to one rank.');
  }
}
