import type { TrainingSpec } from './experiment';

/** Learning rates of a comparison, relative to the experiment's: a third, the same, three times. */
export const comparedRates = (rate: number): number[] =>
  [rate / 3, rate, rate * 3].map((r) => Number(r.toPrecision(2)));

/** The number of trials: all rates with the first seed, the other seeds with the best rate. */
export const trialCount = (adapters: number, rates: number, seeds: number): number =>
  adapters * (rates + seeds - 1);

/** `training.staticEpochs` in AuroRA's static ablation: all epochs. Undefined without such an ablation. */
export const staticAblation = (
  wanted: boolean,
  { epochs, staticEpochs }: Pick<TrainingSpec, 'epochs' | 'staticEpochs'>,
): number | undefined => (wanted && staticEpochs !== epochs ? epochs : undefined);

/** The file of a comparison, beside its experiment, since its paths are relative to their folder. */
export const compareFile = (experiment: string): string =>
  experiment.replace(/(\.aurora)?\.jsonc?$/, '-compare.aurora.json');
