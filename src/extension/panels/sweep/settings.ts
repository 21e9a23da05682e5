import { own } from '../../../base/names';
import type { Settings } from '../../../experiment/sweep';

type Section = Readonly<Record<string, unknown>>;

/** The value of a dotted key in an experiment; undefined for a section or if there is none. */
export function plainValue(spec: object, key: string): unknown {
  const value = key
    .split('.')
    .reduce<unknown>(
      (at, part) => (typeof at === 'object' && at !== null ? own(at as Section, part) : undefined),
      spec,
    );
  return typeof value === 'object' && !Array.isArray(value) ? undefined : value;
}

/** True if the settings change a value, in its section or a part of it too. */
const touches = (settings: Settings, key: string): boolean =>
  Object.keys(settings).some((k) => k === key || key.startsWith(`${k}.`) || k.startsWith(`${key}.`));

/**
 * A trial's value of each setting that varies. A list may leave some as they are in the experiment: those are read from
 * the experiment of the same run, or of another one that does not change them either.
 *
 * @param spec of the trial's run, once it exists
 * @param others the trials whose runs exist
 */
export function settingsOf(
  settings: Settings,
  varied: readonly string[],
  spec: object | undefined,
  others: readonly { settings: Settings; spec: object }[],
): Settings {
  const found: Settings = { ...settings };
  for (const key of varied) {
    if (Object.hasOwn(settings, key)) continue;
    const from =
      spec ?? (touches(settings, key) ? undefined : others.find((o) => !touches(o.settings, key))?.spec);
    const value = from && plainValue(from, key);
    if (value !== undefined) found[key] = value;
  }
  return found;
}
