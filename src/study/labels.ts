import { gathered } from '../base/gathered';
import { t } from '../base/l10n';
import { own } from '../base/names';
import { rateNumber } from '../base/number-text';
import { differingKeys, flatSettings, type FlatSettings } from '../experiment/differing-settings';
import type { Experiment } from '../experiment/experiment';
import { type AdapterSpec, HEAD_ALONE, METHOD_NAMES } from '../experiment/methods';

export const methodName = (method: AdapterSpec['method']): string =>
  method === HEAD_ALONE.method ? t('head only') : METHOD_NAMES[method];

export const rankOf = (adapter: AdapterSpec): number | undefined =>
  'rank' in adapter ? adapter.rank : undefined;

/** Implied by method and rank, so not named as a separate setting. */
const isOfMethod = (key: string): boolean => key === 'adapter.method' || key === 'adapter.rank';

/** The paper's names for its ablations; other settings are named by key and value. */
const WORDS: Record<string, string> = {
  'adapter.fixed=false': 'without F',
  'adapter.learnable=false': 'without L',
  'adapter.spline="per-dimension"': 'a spline per dimension',
  'adapter.spline="per-pair"': 'a spline per pair',
  'adapter.activation="tanh"': 'tanh',
  'adapter.activation="leaky-relu"': 'LeakyReLU',
  'adapter.activation="sigmoid"': 'sigmoid',
  'adapter.useRslora=true': 'rsLoRA',
  'adapter.loraBias=true': 'with a bias',
};
/** Settings that a label leaves out if they are the same as in the paper. */
const PLAIN = [
  'adapter.fixed=true',
  'adapter.learnable=true',
  'adapter.spline="shared"',
  'adapter.useRslora=false',
  'adapter.loraBias=false',
];

export interface Label {
  label: string;
  /** The label's parts besides method and rank. */
  details: string[];
}

export interface Named {
  settings: Settings;
  adapter: AdapterSpec;
}

/**
 * Labels for several settings: method and rank, and the settings that distinguish one from others with the same method
 * and rank. Learning rates are named only if nothing else distinguishes two.
 */
export function labelsOf(all: readonly Named[]): (Label & { withoutRate: Label })[] {
  const bases = all.map(({ adapter }) => {
    const rank = rankOf(adapter);
    const name = methodName(adapter.method);
    return rank === undefined ? name : `${name} r=${rank}`;
  });
  const differing = new Map(
    [...gathered(all, (_, i) => bases[i])].map(([base, others]) => [
      base,
      differingKeys(others.map((o) => o.settings)).filter(
        (key) => !isData(key) && !isOfMethod(key) && !isRate(key),
      ),
    ]),
  );
  const named = all.map(({ settings }, i) =>
    differing.get(bases[i])!.flatMap((key) => wordsOf(key, settings.get(key))),
  );
  const texts = all.map((_, i) => [bases[i], ...named[i]].join(', '));
  const sameText = gathered(texts, (text) => text);
  return all.map(({ settings }, i) => {
    const isAlone = sameText.get(texts[i])!.length === 1;
    const details = isAlone ? named[i] : [...named[i], rateWords(settings)];
    const withoutRate = { label: texts[i], details: named[i] };
    return { label: [bases[i], ...details].join(', '), details, withoutRate };
  });
}

/** An omitted setting adds nothing. */
function wordsOf(key: string, value: string | undefined): string[] {
  if (value === undefined || PLAIN.includes(`${key}=${value}`)) return [];
  const words = WORDS[`${key}=${value}`];
  if (words !== undefined) return [t(words)];
  const name = key.slice(key.indexOf('.') + 1);
  const text = value.replaceAll('"', '');
  if (key === 'model.path')
    return [
      t(
        'model {0}',
        text
          .split(/[\\/]+/)
          .slice(-2)
          .join('/'),
      ),
    ];
  return key === 'model.tokenizer' ? [] : [`${name} ${text}`];
}

const rateWords = (settings: Settings): string =>
  t('learning rate {0}', rateNumber(Number(settings.get('training.learningRate'))));

type Settings = FlatSettings;

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
