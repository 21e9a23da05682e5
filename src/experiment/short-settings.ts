import { cutMiddle } from '../base/cut-middle';
import { own } from '../base/names';
import { hubName } from './hub-reference';
import { type Settings, settingText, shortKeys } from './sweep';

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

export const hasName = (key: string): boolean => !UNNAMED.has(key);

/** A longer value is cut: a name is one line of a narrow list. */
const MOST = 18;

/**
 * A setting in a name: "lr 1e-3", "no grouped".
 *
 * @param json its value as JSON; undefined if it is not set
 * @returns undefined if the name needs no such part
 */
export function detailText(key: string, json: string | undefined): string | undefined {
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
