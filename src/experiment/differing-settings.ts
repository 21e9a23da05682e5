import type { Experiment } from './experiment';

/** Settings by dotted key, values as JSON. */
export type FlatSettings = Map<string, string>;

/** All settings of an experiment, in the order of its sections; lists are one value. */
export function flatSettings(spec: Experiment): FlatSettings {
  const found: FlatSettings = new Map();
  flatten(spec, '', found);
  return found;
}

function flatten(value: object, prefix: string, found: FlatSettings): void {
  for (const [key, v] of Object.entries(value)) {
    if (v === undefined) continue;
    if (isSection(v)) flatten(v, `${prefix}${key}.`, found);
    else found.set(`${prefix}${key}`, JSON.stringify(v));
  }
}

const isSection = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The keys whose values are not the same in all; one that some lack differs. In order of their first appearance. */
export function differingKeys(all: readonly FlatSettings[]): string[] {
  const keys = [...new Set(all.flatMap((settings) => [...settings.keys()]))];
  return keys.filter((key) => new Set(all.map((settings) => settings.get(key))).size > 1);
}

/** An object without what is equal in another, section by section; a list is one value. */
export function differing(own: object, other: object): object {
  const [mine, theirs] = [own, other] as [Record<string, unknown>, Record<string, unknown>];
  return Object.fromEntries(
    Object.keys(mine).flatMap((key) => {
      const [a, b] = [mine[key], theirs[key]];
      if (JSON.stringify(a) === JSON.stringify(b)) return [];
      if (!isSection(a) || !isSection(b)) return [[key, a]];
      const rest = differing(a, b);
      // The same settings in another order.
      return Object.keys(rest).length === 0 && Object.keys(differing(b, a)).length === 0 ? [] : [[key, rest]];
    }),
  );
}
