import { flatSettings, type FlatSettings } from '../experiment/differing-settings';
import type { Experiment } from '../experiment/experiment';

export type Settings = FlatSettings;

/** By the schema, these do not change results, or only how they are evaluated. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'name',
  'training.seed',
  'training.microBatchSize',
  'training.gradientCheckpointing',
  'training.checkpointEvery',
  'training.activationsEvery',
  'training.samples',
]);

/** Omitted if the schema reads them as nothing, so that writing them out does not count as a different setting. */
const NOTHING: Record<string, string> = {
  'data.header': 'true',
  'data.quoting': '"auto"',
  'training.staticEpochs': '0',
  'training.offsetPenalty': '0',
};

/** Nothing but the final scores depends on these, and they are compared only where they are the same. */
const SCORED = /^data\.(test$|evaluations\.)/;

const counts = ([key, value]: readonly [string, string]): boolean =>
  !WITHOUT_EFFECT.has(key) && NOTHING[key] !== value && !SCORED.test(key);

/** All settings that determine a run's result, except its seed. */
export const settingsOf = (spec: Experiment): Settings => new Map([...flatSettings(spec)].filter(counts));

/** The same text for the same settings in any order; without the keys in `but`. */
export const keyOf = (settings: Settings, but: (key: string) => boolean = () => false): string =>
  textOf([...settings].filter(([key]) => !but(key)));

const textOf = (settings: [string, string][]): string =>
  JSON.stringify(settings.sort(([a], [b]) => (a < b ? -1 : 1)));

/** The same text for runs that differ only in their seed. */
export const groupKey = (spec: Experiment): string => textOf([...flatSettings(spec)].filter(counts));

/** What determines which examples are trained on and evaluated: runs that differ here are not compared. */
export const isData = (key: string): boolean => /^(data|task)\./.test(key);

/** What a learning rate search varies. */
export const isRate = (key: string): boolean => /^training\.(headL|l)earningRate$/.test(key);
