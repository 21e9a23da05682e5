import type { MetricName } from './metrics';
import { rateNumber, settingNumber } from '../base/number-text';
import { Stream, uniform } from '../base/random';
import { sortedJson } from '../base/sorted-json';

/** The `sweep` section of an experiment file, with its defaults filled in. */
export interface SweepSpec {
  type: 'grid' | 'random' | 'list';
  /** By dotted key; for grid and random sweeps. */
  parameters?: Record<string, unknown[] | SweepRange>;
  /** For a list. */
  trials?: Settings[];
  /** For a random sweep. */
  count?: number;
  /** Seed of the random draws; the trials' own seed is training.seed. */
  seed: number;
  metric?: MetricName;
  /** Maximum number of parallel trials. */
  parallel?: number;
  pruning?: Pruning;
  learningRateSearch?: RateSearch;
}

export interface SweepRange {
  min: number;
  max: number;
  scale?: 'linear' | 'log';
  integer?: boolean;
}

/** Successive halving; exactly one of the two minima is given. */
export interface Pruning {
  eta: number;
  minEpochs?: number;
  minSteps?: number;
}

/** All learning rates with this many seeds; the other seeds with the best rate only. */
export interface RateSearch {
  seeds: number;
}

/** The settings that a learning rate search varies. */
export const RATE = 'training.learningRate';
export const SEED = 'training.seed';

/** The settings that a trial changes, by dotted key, in the order of application. */
export type Settings = Record<string, unknown>;

/**
 * The most that a cluster trains, and that are listed and compared in seconds (docs/benchmarks.md); one list too many
 * in a grid exceeds it.
 */
export const MOST_TRIALS = 20_000;

/** The number of trials that a sweep trains: in a search, all rates with the first seeds, the others with one rate. */
export function trainedCount(trials: readonly Settings[], search: RateSearch | undefined): number {
  if (!search) return trials.length;
  const searches = new Map<string, Map<unknown, number>>();
  for (const settings of trials) {
    const key = searchKey(settings);
    const seeds = searches.get(key) ?? new Map<unknown, number>();
    searches.set(key, seeds.set(settings[SEED], (seeds.get(settings[SEED]) ?? 0) + 1));
  }
  return [...searches.values()]
    .flatMap((seeds) => [...seeds.values()].map((rates, i) => (i < search.seeds ? rates : 1)))
    .reduce((a, b) => a + b, 0);
}

/** A key that is equal for trials that differ only in learning rate and seed. */
export const searchKey = (settings: Settings): string => sortedJson({ ...settings, [RATE]: 0, [SEED]: 0 });

/** Maximum draws per requested trial before assuming that all different ones have been drawn. */
const DRAWS = 20;
/** Significant digits of a drawn number: enough to distinguish values, and the same text on every platform. */
const DIGITS = 4;

/** The number of trials that `expand` would return for a grid. */
export const gridSize = (parameters: Record<string, unknown>): number =>
  Object.values(parameters).reduce<number>((n, values) => n * (values as unknown[]).length, 1);

/** The number of trials that a section requests. */
export const trialCount = ({ type, parameters = {}, trials = [], count = 0 }: SweepSpec): number =>
  ({ grid: gridSize(parameters), random: count, list: trials.length })[type];

/**
 * The trials' settings without duplicates, as a pure function of the section: in a grid the last parameter varies
 * fastest, and a random sweep with a larger count starts with the same trials. The section must be valid.
 */
export function expand(sweep: SweepSpec): Settings[] {
  const { parameters = {}, trials = [], count = 0 } = sweep;
  switch (sweep.type) {
    case 'list':
      return distinct(trials);
    case 'grid':
      return distinct(
        Object.entries(parameters).reduce<Settings[]>(
          (all, [key, values]) =>
            all.flatMap((settings) => (values as unknown[]).map((value) => ({ ...settings, [key]: value }))),
          [{}],
        ),
      );
    case 'random':
      return drawn(parameters, sweep.seed, count);
  }
}

function drawn(parameters: NonNullable<SweepSpec['parameters']>, seed: number, count: number): Settings[] {
  // Each parameter is keyed by its alphabetical position, so that the draws do not depend on the order in the file.
  const order = new Map(
    Object.keys(parameters)
      .sort()
      .map((key, i) => [key, i]),
  );
  const draw = (trial: number): Settings =>
    Object.fromEntries(
      Object.entries(parameters).map(([key, values]) => {
        const u = uniform(seed, Stream.sweep, trial, order.get(key)!);
        return [key, Array.isArray(values) ? values[Math.floor(u * values.length)] : within(values, u)];
      }),
    );
  const all = Math.min(count, combinations(parameters));
  const found = new Map<string, Settings>();
  for (let trial = 0; trial < DRAWS * count && found.size < all; trial++) {
    const settings = draw(trial);
    const key = sortedJson(settings);
    if (!found.has(key)) found.set(key, settings);
  }
  return [...found.values()];
}

/** The number of different trials that can be drawn; Infinity with a range that is not of integers. */
const combinations = (parameters: NonNullable<SweepSpec['parameters']>): number =>
  Object.values(parameters).reduce<number>((n, values) => {
    if (Array.isArray(values)) return n * new Set(values.map((v) => sortedJson(v))).size;
    return values.integer ? n * (values.max - values.min + 1) : Infinity;
  }, 1);

/**
 * Upper bound for the JSON characters in the settings of all trials, since creating them takes time and memory in
 * proportion. Each value of a parameter counts as its longest.
 */
export function settingsLength(sweep: SweepSpec): number {
  const { type, parameters = {}, trials = [] } = sweep;
  if (type === 'list') return trials.reduce((sum, settings) => sum + JSON.stringify(settings).length, 0);
  const each = Object.entries(parameters).reduce((sum, [key, values]) => {
    const longest = Array.isArray(values)
      ? values.reduce<number>((most, v) => Math.max(most, JSON.stringify(v).length), 0)
      : 0;
    return sum + key.length + longest;
  }, 0);
  return each * trialCount(sweep);
}

function within({ min, max, scale, integer }: SweepRange, u: number): number {
  // Each integer gets an equal interval, including the last.
  const top = integer ? max + 1 : max;
  const value = scale === 'log' ? Math.exp(Math.log(min) + u * Math.log(top / min)) : min + u * (top - min);
  if (integer) return Math.min(max, Math.floor(value));
  return Math.min(max, Math.max(min, Number(value.toPrecision(DIGITS))));
}

function distinct(settings: readonly Settings[]): Settings[] {
  const seen = new Map(settings.map((s) => [sortedJson(s), s]));
  return [...seen.values()];
}

/** The last part of each key, or more of it if two would be the same: "rank", "adapter.rank". */
export function shortKeys(keys: readonly string[]): Map<string, string> {
  const last = (key: string) => key.split('.').at(-1)!;
  const count = new Map<string, number>();
  for (const key of keys) count.set(last(key), (count.get(last(key)) ?? 0) + 1);
  return new Map(keys.map((key) => [key, count.get(last(key))! > 1 ? key : last(key)]));
}

/** A value for display: text without quotes, a section by its method and rank. */
export const valueText = (value: unknown): string => settingText('', value);

/** A setting's value for display. One notation for all values of a setting: a rate is written by its exponent. */
export function settingText(key: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return isRate(key) ? rateNumber(value) : settingNumber(value);
  if (Array.isArray(value)) return value.map((v) => settingText(key, v)).join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value);
  return entries.length === 0 ? '{}' : entries.map(([k, v]) => settingText(k, v)).join(' ');
}

/** Settings that are varied by factors. */
const isRate = (key: string): boolean => /(learningRate|weightDecay|epsilon)$/i.test(key);
