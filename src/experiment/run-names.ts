import { differingKeys, flatSettings, type FlatSettings } from './differing-settings';
import type { Experiment } from './experiment';
import { type AdapterSpec, isHeadAlone, methodName, methodSize } from './methods';
import { detailText, hasName } from './short-settings';
import { byTelling } from './telling';

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
const isOfMethod = (key: string): boolean =>
  key.startsWith('adapter.') || key === 'training.staticEpochs' || key === 'training.offsetPenalty';

/** True if the setting differs among runs of one method and size: an alpha that follows from the rank adds nothing. */
const varies = (own: readonly Described[], key: string): boolean =>
  new Set(own.map((d) => d.settings.get(key))).size > 1;

/** By default, the head's rate is the adapter's. */
const repeatsRate = (key: string, all: readonly Described[]): boolean =>
  key === 'training.headLearningRate' &&
  all.every(({ settings }) => settings.get(key) === settings.get('training.learningRate'));

function groupsBy<T>(all: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of all) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
