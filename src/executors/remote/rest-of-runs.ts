import { lstatSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { clusterQuote } from '../cluster/plain-name';
import { isRealFolder } from './arrived';
import { TAR } from './tar';
import { unpackRuns, type Unpacked } from './unpack-runs';
import { UNFINISHED } from './wanted';

export interface RestOfRuns extends Unpacked {
  /** The folder of the run folders, there and here. */
  from: string;
  to: string;
  /** Folders in a run's folder that come. */
  folders: readonly string[];
  /** Files elsewhere in it that come. */
  leastBytes: number;
}

/**
 * Copies the large files of runs that have ended, and whose small files are here. Each folder appears whole.
 *
 * @returns the names of runs whose files have all come
 */
export const bringRest = (options: RestOfRuns): Promise<Set<string>> =>
  unpackRuns(
    options,
    (names) => script(options, names),
    (name, folder) => place(folder, join(options.to, name)),
  );

function script({ from, folders, leastBytes, without }: RestOfRuns, names: readonly string[]): string {
  const quoted = (pattern: string) => clusterQuote(`./*/${pattern}`);
  const left = [...without, ...UNFINISHED].map((pattern) => `-path ${quoted(pattern)}`).join(' -o ');
  const within = folders.map((folder) => `-path ${quoted(`${folder}/*`)}`).join(' -o ');
  // Files that find cannot read make tar fail: nothing is left out in silence.
  return `cd ${clusterQuote(from)} || exit
set -- ${names.map((name) => clusterQuote(`./${name}`)).join(' ')}
{
  find "$@" -mindepth 1 \\( ${left} \\) -prune -o -type f \\( ${within} -o ! -size -${leastBytes}c \\) -print0 ||
    printf '%s\\0' not-readable
} | ${TAR}
`;
}

/** Moves the files of a run into place; true if all of them could be. Existing files are not replaced. */
function place(folder: string, run: string): boolean {
  try {
    const names = isRealFolder(folder) ? readdirSync(folder) : [];
    const isThere = (name: string) => lstatSync(join(run, name), { throwIfNoEntry: false }) !== undefined;
    if (names.length > 0 && (!isRealFolder(run) || names.some(isThere))) return false;
    for (const name of names) renameSync(join(folder, name), join(run, name));
    return true;
  } catch {
    return false;
  }
}
