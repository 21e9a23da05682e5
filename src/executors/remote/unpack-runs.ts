import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Remote } from './rsync';
import { unpack } from './tar';
import { wanting } from './wanted';

/** The number of run folders at first, to see how fast the line is; then four times as many each time. */
const FIRST = 50;
/** Transfers that take longer are left to rsync, which keeps every file that has come. */
const BATCH_MS = 15_000;

export interface Unpacked {
  remote: Remote;
  /** The names of run folders; a thousand at most. */
  names: readonly string[];
  /** A folder on the same disk as the run folders that other users may not open. */
  temporary: string;
  /** Names in a run's folder that do not come, as patterns. */
  without: readonly string[];
  /** Larger files do not come; omitted: all. */
  mostBytes?: number;
  timeoutMs: number;
}

/**
 * Unpacks files of runs, some runs at a time.
 *
 * @param script there: packs files of these runs, each in a folder of the run's name
 * @param place moves the files of a run that have come from its folder to its place, and returns true if those were all
 * @returns the names that have come; the others are rsync's, also after any failure
 */
export async function unpackRuns(
  { remote, names, temporary, without, mostBytes = Infinity, timeoutMs }: Unpacked,
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
    const isWanted = wanting({ entries: batch, without });
    const accepts = (path: string, size: number) => size < mostBytes && isWanted(path);
    const asked = { script: script(batch), to: folder, timeoutMs: left, accepts };
    const whole = left > 0 && (await unpack(remote, asked));
    if (whole) for (const name of batch) if (place(name, join(folder, name))) arrived.add(name);
    rmSync(folder, { recursive: true, force: true });
    if (!whole) break;
  }
  return arrived;
}
