import { groupsBy } from '../base/groups';
import { own } from '../base/names';
import { cutMiddle } from '../base/text';
import { byTelling, differingKeys, flatSettings, type FlatSettings } from './differing-settings';
import type { Experiment } from './experiment';
import { hubName } from './hub-reference';
import { type AdapterSpec, isHeadAlone, methodName, methodSize } from './methods';
import { type Settings, settingText, shortKeys } from './sweep';

/** A name has at most this many settings besides method and size, so that it fits a narrow side bar. */
const MOST_DETAILS = 3;

const SEED = 'training.seed';

/** "AuroRA r2", "FourierFT n1000", "BitFit", "Head only" */
export function methodLabel(adapter: AdapterSpec): string {
  if (isHeadAlone(adapter)) return 'Head only';
  return [methodName(adapter), methodSize(adapter)].join(' ').trim();
}

/**
 * A name for each of an experiment's runs, from the settings in which they differ: "LoRA r8 · lr 1e-3 · seed 2", or just
 * "lr 1e-3 · seed 2" if all use the same method and size. Runs with the same settings have the same name: all of them are
 * named after their method if nothing differs. Takes time in proportion to the number of runs.
 */
export function settingsNames(specs: readonly Experiment[]): string[] {
  const all = specs.map((spec) => ({
    method: methodLabel(spec.adapter),
    spec,
    settings: flatSettings(spec),
  }));
  const keys = namedKeys(all);
  const oneMethod = new Set(all.map(({ method }) => method)).size <= 1;
  return all.map(({ method, settings }) => {
    const details = detailsOf(settings, keys);
    return oneMethod && details.length > 0 ? details.join(' · ') : [method, ...details].join(' · ');
  });
}

/** The seed comes last, but is never left out: often, nothing else distinguishes two runs. */
function detailsOf(settings: FlatSettings, keys: readonly string[]): string[] {
  const details = keys
    .filter((key) => key !== SEED)
    .flatMap((key) => detailText(key, settings.get(key)) ?? [])
    .slice(0, MOST_DETAILS);
  const seed = keys.includes(SEED) ? detailText(SEED, settings.get(SEED)) : undefined;
  return seed === undefined ? details : [...details, seed];
}

interface Described {
  method: string;
  spec: Experiment;
  settings: FlatSettings;
}

/** The keys in the order of a name. */
function namedKeys(all: readonly Described[]): string[] {
  const inCommon = new Set(differingKeys(all.map((d) => d.settings)).filter(hasName));
  // A method lacks the settings of others, and its name shows that: they are compared among its own runs only.
  const ofMethods = [...groupsBy(all, (d) => d.spec.adapter.method)].flatMap(([, own]) =>
    differingKeys(own.map((d) => d.settings)).filter((key) => hasName(key) && isOfMethod(key)),
  );
  const labels = [...groupsBy(all, (d) => d.method).values()];
  const keys = [...inCommon]
    .filter((key) => !isOfMethod(key))
    .concat(ofMethods)
    .filter((key) => !isOfMethod(key) || labels.some((own) => varies(own, key)))
    .filter((key) => !repeatsRate(key, all));
  return [...new Set(keys)].sort(byTelling);
}

/** Settings that some methods lack. */
const isOfMethod = (key: string): boolean => key.startsWith('adapter.') || key === 'training.staticEpochs';

/** True if the setting differs among runs of one method and size: an alpha that follows from the rank adds nothing. */
const varies = (own: readonly Described[], key: string): boolean =>
  new Set(own.map((d) => d.settings.get(key))).size > 1;

/** By default, the head's rate is the adapter's. */
const repeatsRate = (key: string, all: readonly Described[]): boolean =>
  key === 'training.headLearningRate' &&
  all.every(({ settings }) => settings.get(key) === settings.get('training.learningRate'));

/** Names of common settings, short enough for a list of runs. */
const SHORT: Record<string, string> = {
  'model.maxLength': 'length',
  'model.quantize.bits': 'bits',
  'training.learningRate': 'lr',
  'training.headLearningRate': 'head lr',
  'training.loraPlusRatio': 'LoRA+',
  'training.batchSize': 'batch',
  'training.gradientAccumulation': 'accumulate',
  'training.maxSteps': 'steps',
  'training.warmupRatio': 'warmup',
  'training.warmupSteps': 'warmup',
  'training.weightDecay': 'decay',
  'training.headWeightDecay': 'head decay',
  'training.maxGradientNorm': 'clip',
  'training.groupByLength': 'grouped',
  'training.staticEpochs': 'static',
  'adapter.targetModules': 'on',
  'adapter.excludeModules': 'without',
  'adapter.fixed': 'F',
  'adapter.learnable': 'L',
  'adapter.gridSize': 'grid',
  'adapter.splineOrder': 'order',
  'adapter.initialization': 'init',
  'adapter.loraBias': 'bias',
};

/**
 * Settings that are left out of a name: they change no result, repeat another setting, or are in the method's label.
 */
const UNNAMED = new Set([
  'name',
  'model.tokenizer',
  'model.preprocessor',
  'adapter.method',
  'adapter.rank',
  'adapter.frequencies',
  'adapter.useRslora',
  'training.microBatchSize',
  'training.gradientCheckpointing',
  'training.checkpointEvery',
  'training.activationsEvery',
]);

const hasName = (key: string): boolean => !UNNAMED.has(key);

/** A longer value is cut: a name is one line of a narrow list. */
const MOST = 18;

/**
 * A setting in a name: "lr 1e-3", "no grouped".
 *
 * @param json its value as JSON; undefined if it is not set
 * @returns undefined if the name needs no such part
 */
function detailText(key: string, json: string | undefined): string | undefined {
  if (json === undefined) return undefined;
  const value = JSON.parse(json) as unknown;
  const name = own(SHORT, key) ?? key.slice(key.lastIndexOf('.') + 1);
  if (typeof value === 'boolean') return value ? name : `no ${name}`;
  if (isPath(key)) return cut(fileName(String(value)));
  return `${name} ${cut(settingText(key, value))}`;
}

/**
 * "rank 4 · lr 2e-3": the settings that distinguish a trial of a sweep.
 *
 * @param keys the settings that vary in the sweep
 */
export function trialText(settings: Settings, keys: readonly string[] = Object.keys(settings)): string {
  const names = shortKeys(keys);
  return keys
    .filter((key) => Object.hasOwn(settings, key))
    .map((key) => `${own(SHORT, key) ?? names.get(key)} ${settingText(key, settings[key])}`)
    .join(' · ');
}

const isPath = (key: string): boolean => key === 'model.path' || /^data\.(train|validation|test)$/.test(key);

/** The file's name; of a model file with a common name, its folder's, and on the hub, the repository's. */
function fileName(path: string): string {
  const onHub = hubName(path);
  if (onHub !== undefined) return onHub;
  const parts = path.split(/[\\/]+/).filter((part) => part !== '');
  const last = parts.at(-1) ?? path;
  return /^model[^/]*\.onnx$/.test(last) && parts.length > 1 ? parts.at(-2)! : last;
}

const cut = (text: string): string => cutMiddle(text, MOST);
