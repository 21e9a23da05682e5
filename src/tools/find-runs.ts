import { basename, resolve } from 'node:path';
import { AuroraError } from '../base/errors';
import { experimentName } from '../runs/layout';
import type { ToolRun } from './tool';

/** Runs that an error names, so that the model can choose. */
const NAMED = 10;

/**
 * The run that a language model named: by its id, the start of the id's last part, its path or its display name; the newest
 * one if it named none.
 *
 * @param folders of the workspace, to which paths are relative
 * @throws AuroraError 'usage' that lists the runs there are
 */
export function findRun(runs: readonly ToolRun[], folders: readonly string[], given?: string): ToolRun {
  const newest = [...runs].sort((a, b) => (a.id < b.id ? 1 : -1));
  if (newest.length === 0)
    throw new AuroraError(
      'usage',
      'There are no runs in this workspace.',
      'Start one with the tool aurora_run_experiment.',
    );
  if (given === undefined) return newest[0];
  const paths = folders.map((folder) => resolve(folder, given));
  const found = newest.filter(
    (run) =>
      run.id === given ||
      paths.includes(run.folder) ||
      run.label === given ||
      (given.length >= 4 && /-([0-9a-f]+)$/.exec(run.id)?.[1].startsWith(given) === true),
  );
  if (found.length === 1) return found[0];
  const listed = (found.length > 1 ? found : newest).slice(0, NAMED).map(runLine);
  throw new AuroraError(
    'usage',
    found.length > 1
      ? `${found.length} runs are called "${given}".`
      : `No run of this workspace is called "${given}".`,
    `Give the id of one of these, the newest first:\n${listed.join('\n')}`,
  );
}

/** "20260102T040506Z-1a2b3c4d (mine: AuroRA r2 · 1a2b, finished)" */
const runLine = (run: ToolRun): string =>
  `${run.id} (${experimentName(basename(run.experiment))}: ${run.label}, ${run.state})`;
