import type { Experiment } from '../experiment/experiment';
import { methodLabel, settingsNames } from '../experiment/run-names';
import { trialText } from '../experiment/short-settings';
import type { TrialOf } from './sweep/record';
import type { RunUser } from './user';

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

export interface Labeled {
  user: Pick<RunUser, 'name'>;
  /** Its name among the runs of its experiment (`distinctNames`), once it is known. */
  name?: string;
  id: string;
  /** Undefined if it cannot be read. */
  run?: { spec: Experiment };
  trial?: Pick<TrialOf, 'number' | 'settings'>;
}

/**
 * A run's display name: the user's name for it, otherwise the settings in which it differs from the other runs of its
 * experiment. A sweep's trial is named after what distinguishes it, a run that is not known among others after its
 * method, rank and id, and one that cannot be read after its time.
 */
export function runLabel({ user, name, id, run, trial }: Labeled): string {
  if (user.name !== undefined) return user.name;
  if (trial) return trialText(trial.settings) || `Trial ${trial.number}`;
  if (run && name !== undefined) return name;
  const short = shortId(id);
  return run && short ? `${methodLabel(run.spec.adapter)} · ${short}` : labelOfId(id);
}

/** "1a2b" of a run folder's id: enough to tell the runs of an experiment apart. Undefined for any other name. */
export const shortId = (id: string): string | undefined => /Z-([0-9a-f]{4})[0-9a-f]*$/.exec(id)?.[1];

/** "2026-01-02 04:05 · 1a2b" for a run folder's id; any other name is unchanged. */
export function labelOfId(id: string): string {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([0-9a-f]{4})[0-9a-f]*$/.exec(id);
  if (!match) return id;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const at = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const two = (n: number) => String(n).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())} · ${match[7]}`;
}
