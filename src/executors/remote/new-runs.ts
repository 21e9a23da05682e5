import {
  closeSync,
  constants,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { readIfThereSync } from '../../files/read';
import { clusterQuote } from '../cluster/plain-name';
import { recordHere, RECORDS } from '../cluster/records-here';
import { isRealFolder } from './receive';
import type { Remote } from './rsync';
import { TAR, unpack } from './tar';
import { UNFINISHED, wanting } from './wanted';

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
    (names) => restScript(options, names),
    (name, folder) => restPlace(folder, join(options.to, name)),
  );

function restScript({ from, folders, leastBytes, without }: RestOfRuns, names: readonly string[]): string {
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
function restPlace(folder: string, run: string): boolean {
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

/** The number of run folders at first, to see how fast the line is; then four times as many each time. */
const FIRST = 50;
/** Transfers that take longer are left to rsync, which keeps every file that has come. */
const BATCH_MS = 15_000;

interface Unpacked {
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
async function unpackRuns(
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
