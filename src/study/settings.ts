import { own } from '../base/names';
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
  !WITHOUT_EFFECT.has(key) && own(NOTHING, key) !== value && !SCORED.test(key);

/** All settings that determine a run's result, except its seed. */
export const settingsOf = (spec: Experiment): Settings => new Map([...flatSettings(spec)].filter(counts));

/** A string that is equal for equal settings in any order, in this process; without the keys in `but`. */
export const keyOf = (settings: Settings, but: (key: string) => boolean = () => false): string =>
  textOf([...settings].filter(([key]) => !but(key)));

/** A number for each setting: of thousands of runs, the settings as text would be most of a study's memory. */
const numbers = new Map<string, Map<string, number>>();
let last = 0;

function numberOf([key, value]: readonly [string, string]): number {
  const values = numbers.get(key) ?? new Map<string, number>();
  const number = values.get(value) ?? ++last;
  numbers.set(key, values.set(value, number));
  return number;
}

const textOf = (settings: readonly (readonly [string, string])[]): string =>
  settings
    .map(numberOf)
    .sort((a, b) => a - b)
    .join();

/** A string that is equal, in this process, for runs that differ only in their seed. */
export const groupKey = (spec: Experiment): string => textOf([...flatSettings(spec)].filter(counts));

/** True for settings that determine the training and evaluation examples: runs that differ here are not compared. */
export const isData = (key: string): boolean => /^(data|task)\./.test(key);

/** True for settings that a learning rate search varies. */
export const isRate = (key: string): boolean => /^training\.(headL|l)earningRate$/.test(key);
