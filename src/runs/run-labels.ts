import type { Experiment } from '../experiment/experiment';
import { methodLabel, settingsNames, trialText } from '../experiment/run-names';
import type { TrialOf } from './sweep/record';
import type { RunUser } from './user';

export interface Nameable {
  /** The run folder's name. */
  id: string;
  /** Its number in the experiment, if it has one (`numbers.ts`). */
  number?: number;
  spec: Experiment;
}

/**
 * The names of an experiment's runs, in their order, without their numbers: the settings in which they differ. Where neither
 * distinguishes a run from others, the start of its id is added.
 */
export function distinctNames(runs: readonly Nameable[]): string[] {
  const names = settingsNames(runs.map((r) => r.spec));
  const count = new Map<string, number>();
  for (const name of names) count.set(name, (count.get(name) ?? 0) + 1);
  return names.map((name, i) => {
    const { id, number } = runs[i];
    const isClear = number !== undefined || (runs.length > 1 && count.get(name) === 1);
    return isClear ? name : `${name} · ${shortId(id) ?? id}`;
  });
}

export interface Labeled {
  user: Pick<RunUser, 'name'>;
  /** Its number in the experiment, if it has one (`numbers.ts`). */
  number?: number;
  /** Its name among the runs of its experiment (`distinctNames`), once it is known. */
  name?: string;
  id: string;
  /** Undefined if it cannot be read. */
  run?: { spec: Experiment };
  trial?: Pick<TrialOf, 'number' | 'settings'>;
}

/**
 * A run's display name: "#12 lr 2e-3". After its number, which never changes, comes the user's name for it, otherwise
 * the settings in which it differs from the other runs of its experiment. A sweep's trial is named after the settings
 * that distinguish it ("Trial 3 · lr 2e-3" before its run has a number), a run that is not known among others after its
 * method and rank, and one that cannot be read after its time.
 */
export function runLabel(labeled: Labeled): string {
  const { number } = labeled;
  const name = nameOf(labeled);
  return number === undefined ? name : `#${number} ${name}`;
}

function nameOf({ user, name, id, run, trial, number }: Labeled): string {
  if (user.name !== undefined) return user.name;
  if (trial) {
    const settings = trialText(trial.settings);
    const isFirst = number === undefined && !run;
    return [...(isFirst || settings === '' ? [`Trial ${trial.number}`] : []), settings]
      .filter(Boolean)
      .join(' · ');
  }
  if (run && name !== undefined) return name;
  if (run && number !== undefined) return methodLabel(run.spec.adapter);
  const short = shortId(id);
  return run && short ? `${methodLabel(run.spec.adapter)} · ${short}` : labelOfId(id);
}

/** "1a2b" of a run folder's id: enough to distinguish the runs of an experiment. Undefined for any other name. */
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
