/** Trials with the same problem. */
export interface Cause {
  message: string;
  hint?: string;
  /** Ascending. */
  numbers: readonly number[];
}

/** Groups what is wrong with trials by its words, in the order of each group's first trial. */
export function byCause(
  faults: readonly { number: number; message: string; hint?: string }[],
): readonly Cause[] {
  const causes = new Map<string, { message: string; hint?: string; numbers: number[] }>();
  for (const { number, message, hint } of [...faults].sort((a, b) => a.number - b.number)) {
    const key = JSON.stringify([message, hint]);
    const known = causes.get(key);
    if (known) known.numbers.push(number);
    else causes.set(key, { message, ...(hint !== undefined && { hint }), numbers: [number] });
  }
  return [...causes.values()];
}

/** "1-4, 7", of ascending whole numbers. */
export function rangesText(numbers: readonly number[]): string {
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
    .join(', ');
}
