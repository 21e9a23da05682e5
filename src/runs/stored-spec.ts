import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { Experiment } from '../experiment/experiment';
import { hubReferenceText, parseHubReference } from '../experiment/hub-reference';
import { withPaths } from '../experiment/paths';
import { writeAtomic } from '../files/atomic';
import { otherHost } from '../files/contained';
import { localPath, ownReferenceOf } from '../files/hub-cache';
import { runPaths } from './layout';

/** Writes spec.json, with paths as records have them. @param spec with absolute paths */
export function writeSpec(run: string, spec: Experiment): void {
  const value = { ...withPaths(spec, (path) => storedPath(run, path)), folder: resolve(run) };
  writeAtomic(runPaths(run).spec, `${JSON.stringify(value, null, 2)}\n`, run);
}

/** The experiment in the value of a spec.json, with absolute paths. @param check throws if it is none */
export function specFrom(run: string, value: unknown, check: (value: unknown) => Experiment): Experiment {
  const { folder, ...spec } = isRecord(value) ? value : {};
  const was = typeof folder === 'string' ? folder : undefined;
  const found = (path: string | undefined) => (path === undefined ? path : foundPath(run, path, was));
  return withPaths(check(isRecord(value) ? spec : value), found as (path: string) => string);
}

/** The content of a spec.json as that of an experiment file in its place; content of another form as it is. */
export function specText(run: string, text: string): string {
  try {
    const spec = specFrom(run, JSON.parse(text), (value) => value as Experiment);
    return JSON.stringify(spec, null, 2);
  } catch {
    // The reader of the text reports its mistakes.
  }
  return text;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Paths in the records of a run or a sweep. A path in the project, the folder that has `.aurora`, is relative to the
 * record's folder, so that the whole project can be moved; a path in the hub's cache is named by its reference. Other
 * paths are absolute, and move with the project only if they lie in a folder that was moved with it. The folder is
 * recorded too, because a run that is moved alone leaves its project behind.
 */

/** The folder above `.aurora`; of a run elsewhere, the one that holds the folder of its runs. */
const projectOf = (folder: string): string => auroraProject(folder) ?? dirname(dirname(folder));

function auroraProject(folder: string): string | undefined {
  for (let at = folder; dirname(at) !== at; at = dirname(at))
    if (basename(at) === '.aurora') return dirname(at);
  return undefined;
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

/** @param was the folder of the record when the path was stored */
export function foundPath(folder: string, stored: string, was: string | undefined): string {
  const own = resolve(folder);
  // The record may come from anyone: a name under it is not there, and asks no other computer.
  if (otherHost(stored, own) !== undefined) return join(own, 'elsewhere', basename(stored));
  if (was === undefined || own === was || parseHubReference(stored)) return localPath(own, stored);
  if (isAbsolute(stored)) return moved(stored, was, own);
  const project = projectOf(was);
  const inProject = relative(project, was);
  if (own.endsWith(sep + inProject)) return resolve(own, stored);
  // The run was moved alone: into a project, or out of the one that has its files.
  return join(auroraProject(own) ?? project, relative(project, resolve(was, stored)));
}

/** The path after the move that took one folder to another place: /a/data is /b/data if /a/x/runs is now /b/x/runs. */
function moved(path: string, from: string, to: string): string {
  let [before, now] = [from, to];
  while (before !== now && basename(before) === basename(now) && dirname(before) !== before)
    [before, now] = [dirname(before), dirname(now)];
  if (before === now || !path.startsWith(before + sep)) return path;
  return join(now, path.slice(before.length + 1));
}
