import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeAbandoned } from '../../files/temporary';
import { runPaths } from '../../runs/layout';
import { isAlive, readStatus } from '../../runs/status';

/**
 * Removes leftovers of killed processes from a run's folder; files being written by a living process stay. `graph` and
 * `frozen` belong to the trainer, which replaces and removes them itself unless it was killed at its very end.
 */
export function removeLeftovers(run: string): void {
  const { adapter, activations, pictures, encoded, predictions, study, exports, checkpoints } = runPaths(run);
  const inside = [adapter, checkpoints].flatMap((folder) => [folder, ...foldersIn(folder)]);
  for (const folder of [run, activations, pictures, encoded, predictions, study, exports, ...inside])
    removeAbandoned(folder);
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
