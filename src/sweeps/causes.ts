import type { TrialRecord } from '../runs/sweep/record';
import type { TrialNames } from '../runs/sweep/trial-names';

/** Trials with the same problem. */
export interface Cause {
  message: string;
  hint?: string;
  /** Ascending. */
  numbers: readonly number[];
}

/** Groups the problems of trials by their words, in the order of each group's first trial. */
export function byCause(
  faults: readonly { number: number; message: string; hint?: string }[],
): readonly Cause[] {
  const causes = new Map<string, { message: string; hint?: string; numbers: number[] }>();
  for (const { number, message, hint } of [...faults].sort((a, b) => a.number - b.number)) {
    const key = JSON.stringify([message, hint]);
    const known = causes.get(key);
    if (known) known.numbers.push(number);
    else causes.set(key, { message, hint, numbers: [number] });
  }
  return [...causes.values()];
}

/** The name of one trial; "#1-4, #7" for several, or "trials 3, 5" while their runs have no numbers. */
export function trialsText(records: readonly TrialRecord[], names: TrialNames): string {
  if (records.length === 1) return names.of(records[0]);
  const ascending = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
  const runs = ascending(records.flatMap((record) => names.number(record) ?? []));
  const others = ascending(records.flatMap((r) => (names.number(r) === undefined ? [r.number] : [])));
  return [
    ...(runs.length > 0 ? [rangesText(runs, '#')] : []),
    ...(others.length > 0 ? [`${others.length === 1 ? 'trial' : 'trials'} ${rangesText(others)}`] : []),
  ].join(', ');
}

/** "1-4, 7", of ascending whole numbers. */
export function rangesText(numbers: readonly number[], mark = ''): string {
  const ranges: [first: number, last: number][] = [];
  for (const n of numbers) {
    const open = ranges.at(-1);
    if (open && open[1] === n - 1) open[1] = n;
    else ranges.push([n, n]);
  }
  return ranges
    .flatMap(([first, last]) =>
      last - first === 1 ? [`${first}`, `${last}`] : [first === last ? `${first}` : `${first}-${last}`],
    )
    .map((range) => mark + range)
    .join(', ');
}
