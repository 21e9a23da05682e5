/** Tokens in a row that a shorter sequence lacks. */
export interface CutRun {
  /** Their place in the longer sequence. */
  start: number;
  /** The place in the shorter one before which they were. */
  at: number;
  count: number;
}

/**
 * The tokens that truncation removed: one run, or two of a pair of texts. Where equal tokens leave the place open, any
 * that gives the shorter sequence.
 *
 * @param whole the tokens before truncation
 * @param kept the rest of them, in their order
 */
export function cutRuns(whole: ArrayLike<number>, kept: ArrayLike<number>): CutRun[] {
  const count = whole.length - kept.length;
  if (count <= 0) return [];
  const begin = common(whole, 0, kept, 0);
  const isRest = (at: number) => common(whole, at + count, kept, at) === kept.length - at;
  if (isRest(begin)) return [{ start: begin, at: begin, count }];
  for (let first = 1; first < count; first++) {
    const at = begin + common(whole, begin + first, kept, begin);
    if (at > begin && isRest(at))
      return [
        { start: begin, at: begin, count: first },
        { start: at + first, at, count: count - first },
      ];
  }
  return [{ start: kept.length, at: kept.length, count }];
}

/** The number of equal items of two sequences from these places on. */
function common(a: ArrayLike<number>, from: number, b: ArrayLike<number>, at: number): number {
  let n = 0;
  while (from + n < a.length && at + n < b.length && a[from + n] === b[at + n]) n++;
  return n;
}
