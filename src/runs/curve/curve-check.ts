import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { readIfThere } from '../../files/read';
import { runPaths, stepName } from '../layout';
import { changedWords, type CurveSum } from './curve';

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
