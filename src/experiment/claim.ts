import { sortedJson } from '../base/sorted-json';
import type { Experiment } from './experiment';
import { comparedRates } from './method-comparison';
import type { MetricName } from './metrics';
import { RATE, type Settings } from './sweep';

/**
 * The `claim` section of an experiment file: a sentence about two methods that is fixed before it is tested. Keys of a
 * side are settings by dotted key, as in a sweep's trials, and perhaps `form`.
 */
export interface ClaimSpec {
  /** `better`: by more than nothing. `not-worse`: not by `by` or more. */
  relation: ClaimRelation;
  first: Settings;
  than: Settings | Settings[];
  /** `each`: the sentence is about all opponents; `any`: about at least one. */
  of: 'each' | 'any';
  /** Omitted: training.metric. */
  metric?: MetricName;
  /** The smallest difference that matters, above 0, in the metric's own unit: 0.01 is a point of accuracy. */
  by: number;
  /** Omitted: data.test if there is one, otherwise data.evaluations, otherwise the validation data. */
  on?: ClaimedOn;
  search: ClaimSearch;
  /** The numbers of seeds after which the claim may be decided: one, or two that ascend. */
  looks: number[];
  /** Any number: a claim with another one is another claim, with other seeds. */
  seed: number;
}

export type ClaimRelation = 'better' | 'not-worse';
export type ClaimedOn = 'validation' | 'test' | 'evaluations';

/** The search for the best settings of each method, with the same trials for all. */
export interface ClaimSearch {
  /** Values by dotted key: every combination is tried; omitted: three learning rates. */
  parameters?: Record<string, unknown[]>;
  /** Trials of each combination. */
  seeds: number;
  /** The most values that are added at each end of a list of numbers, while the best value lies there. */
  extend: number;
}

/** One side of a claim. */
export interface ClaimSide {
  /** The index of its settings in `methods`. */
  method: number;
  /** `fitted`: each σ replaced by its linear fit, in the same runs. */
  form: 'trained' | 'fitted';
}

/** A claim with everything decided. */
export interface Claim {
  relation: ClaimRelation;
  /** The different settings that are trained: sides that differ only in their form are the same runs. */
  methods: Settings[];
  /** The first one, then its opponents. */
  sides: ClaimSide[];
  of: 'each' | 'any';
  metric: MetricName;
  by: number;
  on: ClaimedOn;
  search: Required<ClaimSearch>;
  seed: number;
}

/** The fewest and the most seeds of a look for which the simulation of docs/claims.md shows that verdicts keep their level. */
const LOOK_SEEDS = { least: 3, most: 10 } as const;

/** True for the looks that a claim may have. */
export const areLooks = (looks: readonly number[]): boolean =>
  looks.length > 0 &&
  looks.length <= 2 &&
  looks.every((n) => Number.isInteger(n) && n >= LOOK_SEEDS.least && n <= LOOK_SEEDS.most) &&
  (looks.length === 1 || looks[0]! < looks[1]!);

/** The key of a side that is not a setting. */
export const FORM = 'form';

/** The claim of a valid experiment, with the defaults that follow from it. */
export function completeClaim(spec: ClaimSpec, { data, training }: Experiment): Claim {
  const { relation, of, metric = training.metric, by, search, seed } = spec;
  const { parameters = { [RATE]: comparedRates(training.learningRate) }, seeds, extend } = search;
  const on = spec.on ?? (data.test !== undefined ? 'test' : data.evaluations ? 'evaluations' : 'validation');
  const written = writtenSides(spec).map(({ side: { [FORM]: form, ...settings } }) => ({ settings, form }));
  const keys = written.map(({ settings }) => sortedJson(settings));
  const different = [...new Set(keys)];
  const sides = written.map(({ form }, i) => ({
    method: different.indexOf(keys[i]!),
    form: form === 'fitted' ? ('fitted' as const) : ('trained' as const),
  }));
  const methods = different.map((key) => written[keys.indexOf(key)]!.settings);
  return { relation, methods, sides, of, metric, by, on, search: { parameters, seeds, extend }, seed };
}

/** The sides as they are written, the first one first, with their places in the section. */
export const writtenSides = ({
  first,
  than,
}: Pick<ClaimSpec, 'first' | 'than'>): { side: Settings; path: (string | number)[] }[] => [
  { side: first, path: ['first'] },
  ...(Array.isArray(than)
    ? than.map((side, i) => ({ side, path: ['than', i] }))
    : [{ side: than, path: ['than'] }]),
];

/** Every combination of the searched values; the last parameter varies fastest. */
export const combinations = (parameters: Claim['search']['parameters']): Settings[] =>
  Object.entries(parameters).reduce<Settings[]>(
    (all, [key, values]) => all.flatMap((settings) => values.map((value) => ({ ...settings, [key]: value }))),
    [{}],
  );

export type End = 'low' | 'high';

/**
 * The value that continues a list of numbers at one end: by the ratio of its two outer values if all are above 0, otherwise
 * by their difference. Undefined for a list without two different numbers, or if nothing new would follow.
 */
export function nextValue(values: readonly unknown[], end: End): number | undefined {
  const numbers = values.filter((v): v is number => typeof v === 'number').sort((a, b) => a - b);
  const sorted = [...new Set(numbers)];
  if (numbers.length < values.length || sorted.length < 2) return undefined;
  const [outer, inner] = end === 'low' ? sorted : [sorted.at(-1)!, sorted.at(-2)!];
  const next = sorted[0]! > 0 ? (outer! * outer!) / inner! : 2 * outer! - inner!;
  const rounded = sorted.every(Number.isInteger) ? Math.round(next) : Number(next.toPrecision(3));
  return sorted.includes(rounded) || !Number.isFinite(rounded) ? undefined : rounded;
}

/** The end of the list at which a value lies; undefined in between, and in a list that has no ends. */
export function endAt(values: readonly unknown[], value: unknown): End | undefined {
  const numbers = values.filter((v): v is number => typeof v === 'number');
  if (numbers.length < values.length || new Set(numbers).size < 2) return undefined;
  if (value === Math.min(...numbers)) return 'low';
  return value === Math.max(...numbers) ? 'high' : undefined;
}
