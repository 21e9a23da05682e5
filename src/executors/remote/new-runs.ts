import { lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readIfThereSync } from '../../files/read';
import { shellQuote } from '../../files/shell-quote';
import { RECORDS, recordHere } from '../cluster/records-here';
import type { Remote } from './rsync';
import { unpack } from './tar';

/** So many run folders at first, to see how fast the line is; then four times as many each time. */
const FIRST = 50;
/** What takes longer is left to rsync, which keeps every file that has come. */
const BATCH_MS = 15_000;

export interface NewRuns {
  remote: Remote;
  /** The folder of the run folders, there and here. */
  from: string;
  to: string;
  /** The names of run folders that are not here yet; a thousand at most. */
  names: readonly string[];
  /** Names in a run's folder that do not come, as patterns. */
  without: readonly string[];
  /** Files that are read before the others, which may grow: these say how far a run is. */
  first: readonly string[];
  mostBytes: number;
  /** On the same disk as `to`. */
  temporary: string;
  here: (path: string) => string | undefined;
  timeoutMs: number;
}

/**
 * Brings the small files of runs that are not here yet. Each run's folder appears with all of them at once.
 *
 * @returns the names that have come; the others are rsync's, also after any failure
 */
export async function bringNewRuns(options: NewRuns): Promise<Set<string>> {
  const { remote, to, names, temporary, timeoutMs } = options;
  const arrived = new Set<string>();
  const until = performance.now() + timeoutMs;
  for (let at = 0, size = FIRST; at < names.length; at += size, size *= 4) {
    const batch = names.slice(at, at + size);
    const folder = join(temporary, 'new');
    mkdirSync(folder);
    const left = Math.min(BATCH_MS, until - performance.now());
    const whole =
      left > 0 && (await unpack(remote, { script: script(options, batch), to: folder, timeoutMs: left }));
    if (whole)
      for (const name of batch)
        if (place(join(folder, name), join(to, name), options.here)) arrived.add(name);
    rmSync(folder, { recursive: true, force: true });
    if (!whole) break;
  }
  return arrived;
}

/** Packs the small files of runs, those of `first` before all others. */
function script({ from, without, first, mostBytes }: NewRuns, names: readonly string[]): string {
  const named = (patterns: readonly string[]) =>
    patterns.map((pattern) => `-path ${shellQuote(`./*/${pattern}`, 'linux')}`).join(' -o ');
  return `cd ${shellQuote(from, 'linux')} || exit
set -- ${names.map((name) => shellQuote(`./${name}`, 'linux')).join(' ')}
{
  find "$@" -mindepth 1 -maxdepth 1 -type f \\( ${named(first)} \\) -print0
  find "$@" -mindepth 1 \\( ${named([...without, ...first])} \\) -prune -o -type f -size -${mostBytes}c -print0
} 2> /dev/null | tar --create --null --no-recursion --files-from=- --file=-
`;
}

/** Whether the run's folder could be moved into its place: whole, and nothing was there. */
function place(folder: string, to: string, here: NewRuns['here']): boolean {
  try {
    if (!lstatSync(folder).isDirectory()) return false;
    for (const name of RECORDS) {
      const text = recordHere(name, readIfThereSync(join(folder, name))?.toString('utf8'), here);
      if (text === undefined) return false;
      writeFileSync(join(folder, name), text);
    }
    renameSync(folder, to);
    return true;
  } catch {
    return false;
  }
}
