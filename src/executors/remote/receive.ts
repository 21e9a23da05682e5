import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { diskError } from '../../files/atomic';
import { temporaryBeside } from '../../files/temporary';
import { clusterQuote } from '../cluster/plain-name';
import { lines } from './platform';
import type { Rsync } from './rsync';
import type { ClusterShell } from './shell';
import { UNFINISHED, type Wanted, wanting } from './wanted';

export interface Receive extends Wanted {
  /** The folder there. */
  from: string;
  to: string;
  /** A folder on the same disk as `to` that other users may not open. */
  temporary: string;
  options?: readonly string[];
  timeoutMs: number;
}

/**
 * Copies files from a cluster that differ from those here. They come into a folder where nothing else is, and get their
 * places one by one, as `placeArrived` moves them; what has come by the time of an error, too.
 *
 * @returns false if it was not done in time
 * @throws AuroraError as `Rsync`, 'disk' as `placeArrived`
 */
export async function receive(
  rsync: Rsync,
  { from, to, entries, without, temporary, options = [], timeoutMs }: Receive,
): Promise<boolean> {
  if (entries.length === 0) return true;
  const arrived = temporaryBeside(join(temporary, 'rsync'));
  const halves = temporaryBeside(join(temporary, 'halves'));
  mkdirSync(arrived);
  mkdirSync(halves);
  try {
    return await rsync.copy({
      ...{ from: { there: from }, to: arrived, entries, timeoutMs },
      options: [
        // The copies can be read and moved here, whatever their permissions there.
        '--chmod=Du+rwx,Fu+rw',
        // Files that are equal here do not come.
        ...[`--compare-dest=${to}`, `--temp-dir=${halves}`],
        ...without.map((name) => `--exclude=/*/${name}`),
        ...UNFINISHED.map((name) => `--exclude=${name}`),
        ...options,
      ],
    });
  } finally {
    placeArrived(arrived, to, wanting({ entries, without }));
    for (const folder of [arrived, halves]) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * Moves files to their places that came from a cluster into a folder which only this process writes to. Only plain files
 * come that `isWanted` accepts: no links, no other names of a file elsewhere, no devices, pipes or sockets. A file that is
 * in the place already is replaced at once, and so is a link, which is not followed.
 *
 * @throws AuroraError 'disk' if a folder in the place is a link, or a file cannot be moved
 */
export function placeArrived(from: string, to: string, isWanted: (path: string) => boolean): void {
  for (const path of filesIn(from)) {
    if (!isWanted(path)) continue;
    const target = join(to, path);
    try {
      mkdirSync(to, { recursive: true });
      makeRealFolders(to, dirname(path));
      renameSync(join(from, path), target);
    } catch (e) {
      throw diskError(target, e);
    }
  }
}

/** True if it exists, and is not a link to a folder. */
export const isRealFolder = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** True if it is a file that has no other name. */
function isPlainFile(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && found.nlink === 1;
}

/** Relative, with forward slashes. */
function* filesIn(folder: string, above = ''): Generator<string> {
  for (const entry of readdirSync(join(folder, above), { withFileTypes: true })) {
    const path = above + entry.name;
    if (entry.isDirectory()) yield* filesIn(folder, `${path}/`);
    else if (isPlainFile(join(folder, path))) yield path;
  }
}

function makeRealFolders(within: string, path: string): void {
  let at = within;
  for (const part of path.split('/')) {
    at = join(at, part);
    if (isRealFolder(at)) continue;
    const isThere = lstatSync(at, { throwIfNoEntry: false }) !== undefined;
    if (isThere) throw notFolder(at);
    mkdirSync(at);
  }
}

const notFolder = (path: string): AuroraError =>
  new AuroraError(
    'disk',
    `${path} is a link or a file where a folder should be: nothing from the cluster is written there.`,
    'Find out who made it, then remove it and run the command again.',
  );

/** The names of some thousand files. */
const LIST_MS = 10 * 60_000;

/**
 * Removes files here that are not in the same folders on the cluster any more. Files directly in a run's folder stay,
 * and so do folders that are only here: notes, exports, studies. Links are not followed. If the cluster cannot list all
 * of its files, nothing is removed.
 *
 * @param options.entries folders of runs, or folders in them
 * @throws AuroraError as the shell
 */
export async function removeGone(
  shell: ClusterShell,
  { from, to, ...wanted }: Wanted & { from: string; to: string },
): Promise<void> {
  const script = `cd ${clusterQuote(from)} || exit
while IFS= read -r entry; do
  [ ! -d "$entry" ] || find "./$entry" -print || exit
done`;
  const { code, stdout } = await shell.run(script, { input: lines(wanted.entries), timeoutMs: LIST_MS });
  if (code !== 0) return;
  const isThere = new Set(stdout.split('\n').map((line) => line.slice('./'.length)));
  const isWanted = wanting(wanted);
  const clean = (folder: string): void => {
    if (!isThere.has(folder) || !isRealFolder(join(to, folder))) return;
    for (const name of readdirSync(join(to, folder))) {
      const path = `${folder}/${name}`;
      if (!isWanted(path)) continue;
      if (folder.includes('/') && !isThere.has(path))
        rmSync(join(to, path), { recursive: true, force: true });
      else clean(path);
    }
  };
  for (const entry of wanted.entries) clean(entry);
}
