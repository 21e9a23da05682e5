import { closeSync, constants, ftruncateSync, lstatSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readIfThereSync } from '../../files/read';
import { clusterQuote } from '../cluster/plain-name';
import { RECORDS, recordHere } from '../cluster/records-here';
import { TAR } from './tar';
import { unpackRuns, type Unpacked } from './unpack-runs';
import { UNFINISHED } from './wanted';

export interface NewRuns extends Unpacked {
  /** The folder of the run folders, there and here. */
  from: string;
  to: string;
  /** Files that are read before the others, which may grow: these show the progress of a run. */
  first: readonly string[];
  mostBytes: number;
  here: (path: string) => string | undefined;
}

/**
 * Copies the small files of runs that are not here yet. Each run's folder appears with all of them at once.
 *
 * @returns the names that have come
 */
export const bringNewRuns = (options: NewRuns): Promise<Set<string>> =>
  unpackRuns(
    options,
    (names) => script(options, names),
    (name, folder) => place(folder, join(options.to, name), options.here),
  );

/** Packs the small files of runs, those of `first` before all others. */
function script({ from, without, first, mostBytes }: NewRuns, names: readonly string[]): string {
  const named = (patterns: readonly string[]) =>
    patterns.map((pattern) => `-path ${clusterQuote(`./*/${pattern}`)}`).join(' -o ');
  return `cd ${clusterQuote(from)} || exit
set -- ${names.map((name) => clusterQuote(`./${name}`)).join(' ')}
{
  find "$@" -mindepth 1 -maxdepth 1 -type f \\( ${named(first)} \\) -print0
  find "$@" -mindepth 1 \\( ${named([...without, ...UNFINISHED, ...first])} \\) -prune -o -type f -size -${mostBytes}c -print0
} 2> /dev/null | ${TAR}
`;
}

/** Moves the run's folder into its place; true if it is whole, and nothing was there. */
function place(folder: string, to: string, here: NewRuns['here']): boolean {
  try {
    if (!lstatSync(folder).isDirectory()) return false;
    for (const name of RECORDS) {
      const path = join(folder, name);
      const came = readIfThereSync(path)?.toString('utf8');
      const text = recordHere(name, came, here);
      if (text === undefined) return false;
      if (text !== came) overwrite(path, text);
    }
    renameSync(folder, to);
    return true;
  } catch {
    return false;
  }
}

/** Overwrites without cutting to nothing first: some file systems (ext4) flush a file that is written after that. */
function overwrite(path: string, text: string): void {
  const bytes = Buffer.from(text);
  const file = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    writeFileSync(file, bytes);
    ftruncateSync(file, bytes.length);
  } finally {
    closeSync(file);
  }
}
