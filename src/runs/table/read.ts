import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { AuroraError } from '../../base/errors';
import { runPaths } from '../layout';
import { nameAll } from '../name-all';
import { readRunSummary } from '../read';
import { shownState } from '../shown-state';
import { readNotes } from '../user';
import type { ReadRun } from './source';

export interface RowRead {
  run: ReadRun;
  /** The error of a damaged run, which is a row, too. */
  error?: AuroraError;
}

/** Reads runs for a table, and names them as the editor does. */
export function readForTable(folders: readonly string[]): RowRead[] {
  const read = folders.map(readRow);
  const names = nameAll(read.map(({ run: { folder, run } }) => ({ folder, ...(run && { spec: run.spec }) })));
  return read.map(({ run, ...more }) => ({ run: { ...run, ...names.get(run.folder) }, ...more }));
}

function readRow(folder: string): RowRead {
  const id = basename(folder);
  const user = readNotes(folder);
  const named = { folder, id, name: id, experiment: basename(dirname(folder)), user };
  try {
    const run = readRunSummary(folder);
    const made = statSync(runPaths(folder).spec).mtimeMs;
    return { run: { ...named, state: shownState(run, made), run } };
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    return { run: { ...named, state: 'damaged' }, error: e };
  }
}
