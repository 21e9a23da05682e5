import type { TrainingSpec } from './experiment';

/** Learning rates of a comparison around that of an experiment: a third, itself, three times. */
export const comparedRates = (rate: number): number[] =>
  [rate / 3, rate, rate * 3].map((r) => Number(r.toPrecision(2)));

/** How many trials it trains: all rates with the first seed, the other seeds with the best one. */
export const trialCount = (adapters: number, rates: number, seeds: number): number =>
  adapters * (rates + seeds - 1);

/** What `training.staticEpochs` is in AuroRA's static ablation: all epochs. Undefined where that is none. */
export const staticAblation = (
  wanted: boolean,
  { epochs, staticEpochs }: Pick<TrainingSpec, 'epochs' | 'staticEpochs'>,
): number | undefined => (wanted && staticEpochs !== epochs ? epochs : undefined);

/** The file of a comparison beside its experiment: paths in it are relative to their folder. */
export const compareFile = (experiment: string): string =>
  experiment.replace(/(\.aurora)?\.jsonc?$/, '-compare.aurora.json');
