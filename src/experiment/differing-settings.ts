import type { Experiment } from './experiment';

/** Settings by dotted key, values as JSON. */
export type FlatSettings = ReadonlyMap<string, string>;

/** Lists of thousands of runs ask for the same settings several times. */
const known = new WeakMap<Experiment, FlatSettings>();

/**
 * All settings of an experiment, in the order of its sections; lists are one value. Read once per object, which must not
 * change afterwards.
 */
export function flatSettings(spec: Experiment): FlatSettings {
  const there = known.get(spec);
  if (there) return there;
  const found = new Map<string, string>();
  flatten(spec, '', found);
  known.set(spec, found);
  return found;
}

function flatten(value: object, prefix: string, found: Map<string, string>): void {
  for (const [key, v] of Object.entries(value)) {
    if (v === undefined) continue;
    if (isSection(v)) flatten(v, `${prefix}${key}.`, found);
    else found.set(once(`${prefix}${key}`), once(JSON.stringify(v)));
  }
}

/** Thousands of runs have the same keys and mostly the same values: one string for all of them. */
function once(text: string): string {
  const there = texts.get(text);
  if (there !== undefined) return there;
  if (texts.size < MOST_TEXTS && text.length < LONGEST_TEXT) texts.set(text, text);
  return text;
}

const texts = new Map<string, string>();
const MOST_TEXTS = 10_000;
const LONGEST_TEXT = 200;

const isSection = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The keys whose values are not the same in all; one that some lack differs. In order of their first appearance. */
export function differingKeys(all: readonly FlatSettings[]): string[] {
  const seen = new Map<string, { first: string; count: number; differs: boolean }>();
  for (const settings of all)
    for (const [key, value] of settings) {
      const found = seen.get(key);
      if (!found) seen.set(key, { first: value, count: 1, differs: false });
      else {
        found.count++;
        found.differs ||= value !== found.first;
      }
    }
  return [...seen].flatMap(([key, { count, differs }]) => (differs || count < all.length ? [key] : []));
}

/** An object without the parts that are equal in another, section by section; a list is one value. */
export function differing(own: object, other: object): object {
  const [mine, theirs] = [own, other] as [Record<string, unknown>, Record<string, unknown>];
  return Object.fromEntries(
    Object.keys(mine).flatMap((key) => {
      const [a, b] = [mine[key], theirs[key]];
      if (JSON.stringify(a) === JSON.stringify(b)) return [];
      if (!isSection(a) || !isSection(b)) return [[key, a]];
      const rest = differing(a, b);
      // The values can differ only in the order of the settings.
      return Object.keys(rest).length === 0 && Object.keys(differing(b, a)).length === 0 ? [] : [[key, rest]];
    }),
  );
}

/**
 * The settings that are most informative about a run's training; other settings of training follow, then those of the
 * method.
 */
const FIRST = [
  'training.learningRate',
  'training.headLearningRate',
  'training.epochs',
  'training.maxSteps',
  'training.batchSize',
  'training.gradientAccumulation',
];
/** The setting that distinguishes runs that are meant to be alike. */
const LAST = 'training.seed';

/**
 * Compares settings by how much they reveal about a run, for its name and for the columns of a table: training before
 * the method, and both before files. Those of the same kind keep their order.
 */
export const byTelling = (a: string, b: string): number => rankOf(a) - rankOf(b);

function rankOf(key: string): number {
  const at = FIRST.indexOf(key);
  if (at >= 0) return at;
  if (key === LAST) return FIRST.length + 2;
  return key.startsWith('training.')
    ? FIRST.length
    : key.startsWith('adapter.')
      ? FIRST.length + 1
      : FIRST.length + 3;
}
