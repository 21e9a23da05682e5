import type { Experiment } from '../../experiment/experiment';
import { settingsNames } from '../../experiment/run-names';
import { shortId } from './label';

export interface Nameable {
  /** The run folder's name. */
  id: string;
  spec: Experiment;
}

/**
 * The names of an experiment's runs, in their order: the settings in which they differ. Where that does not distinguish
 * a run from others, or there are none, the start of its id is added.
 */
export function distinctNames(runs: readonly Nameable[]): string[] {
  const names = settingsNames(runs.map((r) => r.spec));
  const count = new Map<string, number>();
  for (const name of names) count.set(name, (count.get(name) ?? 0) + 1);
  return names.map((name, i) =>
    runs.length === 1 || count.get(name)! > 1 ? `${name} · ${shortId(runs[i].id) ?? runs[i].id}` : name,
  );
}
