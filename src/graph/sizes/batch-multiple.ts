/** Sizes of an axis at batches of 2, 3 and 5, as a probe names one that it cannot name otherwise. */
const SIZES = /^(\d+)\|(\d+)\|(\d+)$/;

/**
 * The factor of the batch in an axis, such as 16 for the 16 positions of each image; undefined if it is something else.
 */
export function batchMultiple(axis: number | string): number | undefined {
  if (axis === 'batch') return 1;
  const [a, b, c] = (SIZES.exec(String(axis)) ?? []).slice(1).map(Number);
  if (a === undefined || a % 2 !== 0 || 2 * b! !== 3 * a || 2 * c! !== 5 * a) return undefined;
  return a / 2;
}
