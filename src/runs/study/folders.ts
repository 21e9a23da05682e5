import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { experimentRuns, runPaths } from '../layout';

/**
 * The run folders of a study, without duplicates, in the given order: from run folders, folders that contain runs (an
 * experiment's), and experiment files. Add further kinds of sources here.
 *
 * @throws AuroraError 'run' if a path is none of these
 */
export function studyFolders(given: readonly string[]): string[] {
  return [...new Set(given.flatMap(foldersOf))];
}

function foldersOf(path: string): string[] {
  if (isRun(path)) return [path];
  const holder = path.endsWith('.json') ? experimentRuns(path) : path;
  const runs = statSync(holder, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(holder)
        .filter((name) => !name.startsWith('.'))
        .sort()
        .map((name) => join(holder, name))
        .filter(isRun)
    : [];
  if (runs.length > 0) return runs;
  throw new AuroraError(
    'run',
    `${path} is not a run and contains none.`,
    'Give run folders, the folder of an experiment’s runs (.aurora/runs/NAME), or its experiment file.',
  );
}

const isRun = (path: string): boolean => existsSync(runPaths(path).spec) || existsSync(runPaths(path).events);
