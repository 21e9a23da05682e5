import { lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { diskError } from '../../files/atomic';

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
export function isPlainFile(path: string): boolean {
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
