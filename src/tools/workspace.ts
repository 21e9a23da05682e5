import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { AuroraError } from '../base/errors';
import type { Experiment } from '../experiment/experiment';
import { withPaths } from '../experiment/paths';
import { hubCacheFolder } from '../files/hub-cache';
import { filesOfLater } from '../files/pattern';
import { experimentRuns, experimentSweeps } from '../runs/layout';
import type { ToolHost } from './tool';

/** The only code that decides which files a language model may name, itself or in an experiment. */

type Workspace = Pick<ToolHost, 'folders' | 'shown'>;

/**
 * The absolute path of a file or folder that a language model named. It must exist in the workspace, also after symbolic
 * links are followed.
 *
 * @param folders of the workspace
 * @param given absolute, or relative to one of the folders, whose name may come first
 * @throws AuroraError 'usage'
 */
export async function inWorkspace(folders: readonly string[], given: string): Promise<string> {
  const paths = isAbsolute(given)
    ? [resolve(given)]
    : folders.flatMap((folder) => [resolve(folder, given), ...afterName(folder, given)]);
  const roots = await realFolders(folders);
  let outside = false;
  for (const path of paths) {
    const real = await realpath(path).catch(() => undefined);
    const known = roots.some((root) => isWithin(root, real ?? path));
    if (real !== undefined && known) return path;
    outside ||= !known;
  }
  if (outside)
    throw new AuroraError(
      'usage',
      `${given} is outside the workspace, so it is not read.`,
      'Name a file of the workspace, relative to its folder.',
    );
  throw new AuroraError(
    'usage',
    `There is no ${given} in the workspace.`,
    'Give the path relative to the workspace folder.',
  );
}

const EXPERIMENT = '.aurora.json';

/** The absolute path of an experiment file of the workspace. */
export async function experimentIn({ folders }: Workspace, given: string): Promise<string> {
  const file = await inWorkspace(folders, given);
  if (!file.endsWith(EXPERIMENT))
    throw new AuroraError(
      'usage',
      `${given} is not an experiment file.`,
      `Experiment files end in ${EXPERIMENT}.`,
    );
  // Its runs and sweeps are read, and written.
  const [outside] = await outsidePaths({ folders }, [experimentRuns(file), experimentSweeps(file)]);
  if (outside !== undefined)
    throw new AuroraError(
      'usage',
      `${outside} leads out of the workspace by a link, so the experiment is not used.`,
      'Replace the link by a folder.',
    );
  return file;
}

/**
 * Makes sure that a model, its tokenizer and the data of an experiment are in the workspace, or were downloaded from the
 * Hugging Face hub: otherwise a file that names others would let a language model read them.
 *
 * @param spec with absolute paths; in place of files, data may have patterns
 * @throws AuroraError 'usage' that names those that are outside
 */
export async function requireOwnInputs(workspace: Workspace, spec: Experiment): Promise<void> {
  const outside = await outsideInputs(workspace, spec);
  if (outside.length === 0) return;
  throw new AuroraError(
    'usage',
    `${outside.map((path) => workspace.shown(path)).join(', ')} ${outside.length === 1 ? 'is' : 'are'} outside the workspace, so the experiment is not used.`,
    'Move the files into the workspace, or let the user add their folder to it.',
  );
}

/** The paths of an experiment that are neither in the workspace nor in the hub's cache. */
export const outsideInputs = (workspace: Workspace, spec: Experiment): Promise<string[]> =>
  outsidePaths(workspace, namedPaths(spec));

/** Those paths that are neither in the workspace nor in the hub's cache. */
export async function outsidePaths(
  { folders }: Pick<Workspace, 'folders'>,
  paths: readonly string[],
): Promise<string[]> {
  const roots = await realFolders([...folders, hubCacheFolder()]);
  const outside: string[] = [];
  for (const path of paths) {
    // Each file of a pattern: one may be a link.
    const files = await filesOfLater(path).catch(() => [path]);
    const links = await Promise.all(files.map(linksIn));
    const real = await Promise.all([...files, ...links.flat()].map(realBeginning));
    if (!real.every((file) => roots.some((root) => isWithin(root, file)))) outside.push(path);
  }
  return outside;
}

/** The files and folders that an experiment names, without duplicates. */
export function namedPaths(spec: Experiment): string[] {
  const paths = new Set<string>();
  withPaths(spec, (path) => {
    paths.add(path);
    return path;
  });
  return [...paths];
}

/** The links in a folder, such as a model's, and in those below it; none for a file. */
async function linksIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((e) => e.isSymbolicLink()).map((e) => join(e.parentPath, e.name));
}

/** A path whose links are followed as far as it exists: not at all, or only in part, for a pattern. */
async function realBeginning(path: string): Promise<string> {
  for (let at = resolve(path); ; at = dirname(at)) {
    const real = await realpath(at).catch(() => undefined);
    if (real !== undefined) return join(real, relative(at, resolve(path)));
    if (dirname(at) === at) return resolve(path);
  }
}

const realFolders = (folders: readonly string[]): Promise<string[]> =>
  Promise.all(folders.map((folder) => realpath(folder).catch(() => folder)));

/** In a workspace of several folders, VS Code names a file by its folder's name and the path in it. */
const afterName = (folder: string, given: string): string[] => {
  const [first, ...rest] = given.split(/[\\/]/);
  return first === basename(folder) ? [join(folder, ...rest)] : [];
};

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
