import { flatSettings, type FlatSettings } from '../experiment/differing-settings';
import type { Experiment } from '../experiment/experiment';

export type Settings = FlatSettings;

/** By the schema, these do not change results, or only how they are evaluated. */
const WITHOUT_EFFECT = [
  'name',
  'training.seed',
  'training.microBatchSize',
  'training.gradientCheckpointing',
  'training.checkpointEvery',
  'training.activationsEvery',
  'training.samples',
];

/** Omitted if the schema reads them as nothing, so that writing them out does not count as a different setting. */
const NOTHING: Record<string, string> = {
  'data.header': 'true',
  'data.quoting': '"auto"',
  'training.staticEpochs': '0',
  'training.offsetPenalty': '0',
};

/** All settings that determine a run's result, except its seed. */
export function settingsOf(spec: Experiment): Settings {
  const found = new Map(flatSettings(spec));
  for (const key of WITHOUT_EFFECT) found.delete(key);
  // Nothing but the final scores depends on these, and they are compared only where they are the same.
  for (const key of found.keys()) if (/^data\.(test$|evaluations\.)/.test(key)) found.delete(key);
  for (const [key, nothing] of Object.entries(NOTHING)) if (found.get(key) === nothing) found.delete(key);
  return found;
}

/** The same text for the same settings in any order; without the keys in `but`. */
export const keyOf = (settings: Settings, but: (key: string) => boolean = () => false): string =>
  JSON.stringify([...settings].filter(([key]) => !but(key)).sort(([a], [b]) => (a < b ? -1 : 1)));

/** What determines which examples are trained on and evaluated: runs that differ here are not compared. */
export const isData = (key: string): boolean => /^(data|task)\./.test(key);

/** What a learning rate search varies. */
export const isRate = (key: string): boolean => /^training\.(headL|l)earningRate$/.test(key);
