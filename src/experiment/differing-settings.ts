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
    const isSection = typeof v === 'object' && v !== null && !Array.isArray(v);
    if (isSection) flatten(v as object, `${prefix}${key}.`, found);
    else found.set(`${prefix}${key}`, JSON.stringify(v));
  }
}

/** The keys whose values are not the same in all; one that some lack differs. In order of their first appearance. */
export function differingKeys(all: readonly FlatSettings[]): string[] {
  const keys = [...new Set(all.flatMap((settings) => [...settings.keys()]))];
  return keys.filter((key) => new Set(all.map((settings) => settings.get(key))).size > 1);
}
