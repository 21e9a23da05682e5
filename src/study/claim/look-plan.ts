/** A look at the results so far. */
export interface LookPlan {
  seeds: number;
  /** The probability of an error of one kind at this look, one-sided. */
  level: number;
}

/** The level of a single look, or of the first and the last of two. */
const LEVELS = { one: [0.025], two: [0.005, 0.02] } as const;

/**
 * The looks after these numbers of seeds, with their levels. Those of two looks add up to 2.5%, so that no more of the
 * claims are wrongly supported, and no more wrongly refuted, however the looks depend on each other.
 *
 * @param seeds one number, or two that ascend
 */
export const looksAt = (seeds: readonly number[]): LookPlan[] =>
  seeds.map((n, i) => ({ seeds: n, level: LEVELS[seeds.length === 1 ? 'one' : 'two'][i] }));
