import { createHash, type Hash } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { readIfThere } from '../../files/read';
import { runPaths, stepName } from '../layout';

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
function firstGap(steps: Iterable<number>, last = 0): CurveGap | undefined {
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

const changedWords = (path: string, step: number): string =>
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

/** Bytes to hash before other work gets its turn. */
const PIECE = 1 << 22;

/**
 * Compares a curve with the hash that a checkpoint has of it.
 *
 * @param rows records of scalars.bin by index, as stored in the file
 * @returns the difference as a sentence; undefined if there is none or the checkpoint has no hash
 */
export async function changedCurve(
  run: string,
  step: number,
  records: number,
  rows: (from: number, to: number) => Float64Array,
): Promise<string | undefined> {
  const known = await curveOf(join(runPaths(run).checkpoints, stepName(step), 'state.json'));
  if (!known || known.records > records) return undefined;
  const hash = createHash('sha256');
  const each = Math.max(1, Math.floor(PIECE / Math.max(1, rows(0, 1).byteLength)));
  for (let at = 0; at < known.records; at += each) {
    const piece = rows(at, Math.min(at + each, known.records));
    hash.update(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
    await turn();
  }
  return hash.digest('hex') === known.sha256 ? undefined : changedWords(runPaths(run).scalars, step);
}

async function curveOf(path: string): Promise<CurveSum | undefined> {
  const bytes = await readIfThere(path);
  try {
    const { curve } = JSON.parse(bytes?.toString('utf8') ?? '{}') as { curve?: Partial<CurveSum> };
    return typeof curve?.records === 'number' && typeof curve.sha256 === 'string'
      ? { records: curve.records, sha256: curve.sha256 }
      : undefined;
  } catch {
    // Resuming from that checkpoint reports the damage.
    return undefined;
  }
}
