import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Remote } from './rsync';
import { unpack } from './tar';

/** So many run folders at first, to see how fast the line is; then four times as many each time. */
const FIRST = 50;
/** What takes longer is left to rsync, which keeps every file that has come. */
const BATCH_MS = 15_000;

export interface Unpacked {
  remote: Remote;
  /** The names of run folders; a thousand at most. */
  names: readonly string[];
  /** On the same disk as the run folders. */
  temporary: string;
  timeoutMs: number;
}

/**
 * Unpacks files of runs, some runs at a time.
 *
 * @param script there: packs files of these runs, each in a folder of the run's name
 * @param place moves what has come of a run from its folder to its place, and returns whether that was all
 * @returns the names that have come; the others are rsync's, also after any failure
 */
export async function unpackRuns(
  { remote, names, temporary, timeoutMs }: Unpacked,
  script: (names: readonly string[]) => string,
  place: (name: string, folder: string) => boolean,
): Promise<Set<string>> {
  const arrived = new Set<string>();
  const until = performance.now() + timeoutMs;
  for (let at = 0, size = FIRST; at < names.length; at += size, size *= 4) {
    const batch = names.slice(at, at + size);
    const folder = join(temporary, 'new');
    mkdirSync(folder);
    const left = Math.min(BATCH_MS, until - performance.now());
    const whole = left > 0 && (await unpack(remote, { script: script(batch), to: folder, timeoutMs: left }));
    if (whole) for (const name of batch) if (place(name, join(folder, name))) arrived.add(name);
    rmSync(folder, { recursive: true, force: true });
    if (!whole) break;
  }
  return arrived;
}
