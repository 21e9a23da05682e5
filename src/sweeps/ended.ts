import type { OwnerRecord } from '../files/fence';
import { ownerText } from '../files/owner';
import type { KnownError } from '../base/errors';
import type { SweepRecord } from '../runs/sweep/record';
import type { TrialNames } from '../runs/sweep/trial-names';
import type { SweepOutcome } from './sweep-queue';

/** For a trial whose owner is a process that this machine cannot see. */
export const leftText = (
  { trials }: SweepRecord,
  id: string,
  owner: OwnerRecord,
  names: TrialNames,
): string =>
  `${names.of(trials.find((t) => t.id === id)!)} was skipped: it is owned by ${ownerText(owner)}, and this machine cannot tell whether that is still running.`;

/** The reason why a queue left trials for the user to decide about; undefined if there are none. */
export function toDecide(
  record: SweepRecord,
  { trials, elsewhere }: Pick<SweepOutcome, 'trials' | 'elsewhere'>,
  names: TrialNames,
): KnownError | undefined {
  const left = [...elsewhere].map(([id, owner]) => leftText(record, id, owner, names));
  if (left.length > 0) return { kind: 'owned', message: firstOf(left) };
  const changed = trials.flatMap(({ record, error }) =>
    record.planned && error?.error === 'inputs'
      ? [`${names.of(record)} was not continued: ${error.message}`]
      : [],
  );
  return changed.length > 0 ? { kind: 'inputs', message: firstOf(changed) } : undefined;
}

const firstOf = ([first, ...others]: readonly string[]): string =>
  others.length === 0
    ? first!
    : `${first} The same applies to ${others.length === 1 ? '1 more trial' : `${others.length} more trials`}.`;
