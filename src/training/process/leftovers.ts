import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { diskError } from '../../files/atomic';
import { temporaryFolderFor } from '../../files/system-temporary';
import { removeAbandoned, temporaryBeside } from '../../files/temporary';
import { type RunPaths, runPaths } from '../../runs/layout';
import { readRunSummary } from '../../runs/run-summary';
import { isAlive, readStatus } from '../../runs/status';
import { removedAtEnd } from './removed-at-exit';

/** Folders of a run that have files, but no folders in which something is written. */
const FLAT = [
  'activations',
  'pictures',
  'encoded',
  'predictions',
  'fit',
  'nonlinearity',
  'study',
  'exports',
] as const satisfies readonly (keyof RunPaths)[];

/**
 * Removes leftovers of killed processes from a run's folder; files being written by a living process stay. `graph` and
 * `frozen` belong to the trainer, which replaces and removes them itself unless it was killed at its very end.
 */
export function removeLeftovers(run: string): void {
  const paths = runPaths(run);
  const flat = [...FLAT.map((name) => paths[name]), run];
  const inside = [paths.adapter, paths.checkpoints].flatMap((folder) => [folder, ...foldersIn(folder)]);
  for (const folder of [...flat, ...inside]) removeAbandoned(folder);
  removeGraphs(run);
}

/**
 * Removes the graphs of a run whose trainer was killed after it had written the result: nothing resumes such a run, so no
 * later trainer would.
 */
export function removeGraphs(run: string): void {
  const folders = ['graph', 'frozen'].map((name) => join(run, name)).filter((path) => existsSync(path));
  if (folders.length === 0 || !existsSync(runPaths(run).result)) return;
  try {
    if (isAlive(readStatus(run))) return;
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  } catch {
    // The next command tries again; readers of the run report the problem.
  }
}

function foldersIn(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((e) => e.isDirectory()).map((e) => join(path, e.name));
  } catch {
    return [];
  }
}

/** Another user's run, or one on a read-only disk, can still be viewed. */
const READ_ONLY = ['EACCES', 'EPERM', 'EROFS'];

/**
 * A folder for temporary graphs: inside the run, so that they can use the model's file if it is on the same disk;
 * otherwise the system's temporary folder.
 *
 * @returns its path, and a function to remove it; the end of the process removes it in any case
 */
export function workFolder(run: string, name: string): { path: string; remove: () => void } {
  const path = make(run, name);
  return { path, remove: removedAtEnd(path) };
}

function make(run: string, name: string): string {
  try {
    removeLeftovers(run);
    const path = temporaryBeside(join(run, name));
    mkdirSync(path);
    return path;
  } catch (e) {
    // The run's reader gives the best error message.
    readRunSummary(run);
    if (!READ_ONLY.includes((e as NodeJS.ErrnoException).code ?? '')) throw diskError(run, e);
    return temporaryFolderFor(name);
  }
}
