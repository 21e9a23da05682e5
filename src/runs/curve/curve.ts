import { createHash, type Hash } from 'node:crypto';

/** What a checkpoint says of scalars.bin: how many records it had then, and the SHA-256 of their bytes. */
export interface CurveSum {
  records: number;
  sha256: string;
}

/** The SHA-256 of a curve that grows: a record costs its own bytes, whatever came before. */
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

/** Steps that a curve has no record of, both ends included. */
export interface CurveGap {
  from: number;
  to: number;
}

/**
 * The first steps that are missing. A curve has a record of each step from 1 on.
 *
 * @param steps as the records have them
 * @param last  the step that the curve must reach, where that is known
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
 * What is wrong with a curve up to a checkpoint, as a sentence; undefined where nothing is.
 *
 * @param step  the checkpoint's
 * @param known what the checkpoint says of the curve; older ones say nothing
 */
export function curveDamage(
  path: string,
  steps: readonly number[],
  step: number,
  now: CurveSum,
  known: CurveSum | undefined,
): string | undefined {
  // A damaged step may look like a gap, too.
  const flipped = known !== undefined && now.records === known.records && now.sha256 !== known.sha256;
  if (flipped) return changedWords(path, step);
  const gap = firstGap(steps, step);
  return gap && gapWords(path, gap);
}
