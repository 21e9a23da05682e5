import { createHash, type Hash } from 'node:crypto';

/** A checkpoint's record of scalars.bin: the number of records at that time, and the SHA-256 of their bytes. */
export interface CurveSum {
  records: number;
  sha256: string;
}

/** The SHA-256 of a growing curve. Adding a record hashes only its own bytes. */
export class CurveHash {
  private readonly hash: Hash = createHash('sha256');
  private records = 0;

  add(bytes: Uint8Array, records: number): void {
    this.hash.update(bytes);
    this.records += records;
  }

  sum(): CurveSum {
    return { records: this.records, sha256: this.hash.copy().digest('hex') };
  }
}

/** Steps without a record, both ends included. */
export interface CurveGap {
  from: number;
  to: number;
}

/**
 * The first missing steps. A curve has a record of each step, starting at 1.
 *
 * @param steps the steps of the records
 * @param last  the step that the curve must reach, if known
 */
export function firstGap(steps: Iterable<number>, last = 0): CurveGap | undefined {
  let before = 0;
  for (const step of steps) {
    if (step > before + 1) return { from: before + 1, to: step - 1 };
    before = step;
  }
  return before < last ? { from: before + 1, to: last } : undefined;
}

/** @param path of scalars.bin */
export const gapWords = (path: string, { from, to }: CurveGap): string =>
  `${path} has no records of ${from === to ? `step ${from}` : `steps ${from} to ${to}`}: the curve has a gap there.`;

export const changedWords = (path: string, step: number): string =>
  `${path} was changed after it was written: its SHA-256 up to step ${step} differs, so the curve may show wrong values there.`;

/**
 * The damage to a curve up to a checkpoint, as a sentence; undefined if there is none.
 *
 * @param step  the checkpoint's step
 * @param known the checkpoint's record of the curve; undefined without a checkpoint
 */
export function curveDamage(
  path: string,
  steps: readonly number[],
  step: number,
  now: CurveSum,
  known: CurveSum | undefined,
): string | undefined {
  // First, since a damaged step may also look like a gap.
  const flipped = known !== undefined && now.records === known.records && now.sha256 !== known.sha256;
  if (flipped) return changedWords(path, step);
  const gap = firstGap(steps, step);
  return gap && gapWords(path, gap);
}
