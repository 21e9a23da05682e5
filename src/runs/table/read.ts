import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { AuroraError } from '../../base/errors';
import { runPaths } from '../layout';
import { readRunSummary } from '../read';
import { shownState } from '../shown-state';
import { readUser, type RunUser } from '../user';
import type { ReadRun } from './source';

/** Reads a run for a table. A damaged one is a row, too, and `error` says what is wrong with it. */
export function readForTable(folder: string): { run: ReadRun; error?: AuroraError } {
  const id = basename(folder);
  const user = userOf(folder);
  const named = { folder, id, name: user.name ?? id, experiment: basename(dirname(folder)), user };
  try {
    const run = readRunSummary(folder);
    const made = statSync(runPaths(folder).spec).mtimeMs;
    return { run: { ...named, state: shownState(run, made), run } };
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    return { run: { ...named, state: 'damaged' }, error: e };
  }
}

/** A damaged note must not hide the run. */
function userOf(folder: string): RunUser {
  try {
    return readUser(folder);
  } catch {
    return {};
  }
}
