import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { hubReferenceText } from '../../experiment/hub-reference';
import { localPath, ownReferenceOf } from '../../files/hub-cache';

/**
 * Paths in the records of a run or a sweep. What is in the project, the folder that has `.aurora`, is relative to the record's
 * folder, so that the whole project can be moved; what is in the hub's cache is named by its reference. Other paths are
 * absolute, and move with the project only if they lie in a folder that was moved with it.
 */

/** The folder above `.aurora`; of a run elsewhere, the one that holds the folder of its runs. */
function projectOf(folder: string): string {
  for (let at = folder; dirname(at) !== at; at = dirname(at))
    if (basename(at) === '.aurora') return dirname(at);
  return dirname(dirname(folder));
}

/** @param folder of the run or the sweep. @param path absolute */
export function storedPath(folder: string, path: string): string {
  const ref = ownReferenceOf(path);
  if (ref) return hubReferenceText(ref);
  const own = resolve(folder);
  const project = projectOf(own);
  const inside = path.startsWith(project.endsWith(sep) ? project : project + sep);
  return inside ? relative(own, path).split(sep).join('/') : path;
}

/** @param was where the record's folder was when the path was stored */
export function foundPath(folder: string, stored: string, was: string | undefined): string {
  const own = resolve(folder);
  return isAbsolute(stored) && was !== undefined ? moved(stored, was, own) : localPath(own, stored);
}

/** The path after the move that took one folder to another place: /a/data is /b/data if /a/x/runs is now /b/x/runs. */
function moved(path: string, from: string, to: string): string {
  let [before, now] = [from, to];
  while (before !== now && basename(before) === basename(now) && dirname(before) !== before)
    [before, now] = [dirname(before), dirname(now)];
  if (before === now || !path.startsWith(before + sep)) return path;
  return join(now, path.slice(before.length + 1));
}
