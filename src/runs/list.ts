import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../base/errors';
import { readRunSummary, type RunSummary } from './read';

/** A run of the list, or what keeps it from being read. */
export type ListedRun =
  { folder: string; id: string; run: RunSummary } | { folder: string; id: string; error: AuroraError };

/**
 * The runs in an experiment's folder (`experimentRuns`), newest first; none where the folder does not exist.
 * A damaged run is listed with its error and hides no other.
 */
export function listRuns(experimentFolder: string): ListedRun[] {
  return folderNames(experimentFolder)
    .sort()
    .reverse()
    .map((id) => {
      const folder = join(experimentFolder, id);
      try {
        return { folder, id, run: readRunSummary(folder) };
      } catch (e) {
        const error = e instanceof AuroraError ? e : new AuroraError('run', `${folder}: ${String(e)}`);
        return { folder, id, error };
      }
    });
}

function folderNames(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new AuroraError('run', `${folder} could not be read: ${(e as Error).message}.`, undefined, {
      cause: e,
    });
  }
}
