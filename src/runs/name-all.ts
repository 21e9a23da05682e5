import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AuroraError } from '../base/errors';
import type { Experiment } from '../experiment/experiment';
import { readIfThereSync } from '../files/read';
import { runPaths } from './layout';
import { distinctNames, runLabel } from './run-labels';
import { runNumbers, type RunNumbers } from './numbers';
import { SUMMARY_PARSERS } from './run-summary';
import { trialOf } from './sweep/record';
import { readNotes } from './user';

/** A run as far as it is known; missing parts are read. */
export interface RunToName {
  folder: string;
  /** Undefined for a run that cannot be read. */
  spec?: Experiment;
}

export interface RunName {
  /** The display name, which begins with the number. */
  name: string;
  number?: number;
}

/**
 * The names of runs by folder, as the editor shows them: each is named among all runs of its experiment, whether they are
 * given or not.
 */
export function nameAll(runs: readonly RunToName[]): Map<string, RunName> {
  const known = new Map(runs.map((run) => [run.folder, run.spec]));
  const names = new Map<string, string>();
  const numbers = new Map<string, RunNumbers>();
  for (const home of new Set(runs.map((run) => dirname(run.folder)))) {
    const own = runNumbers(home);
    numbers.set(home, own);
    for (const [folder, name] of namesIn(home, known, own)) names.set(folder, name);
  }
  return new Map(
    runs.map(({ folder, spec }) => {
      const trial = trialOf(folder);
      const run = spec && { spec };
      const number = numbers.get(dirname(folder))!.get(basename(folder));
      const numbered = number === undefined ? {} : { number };
      const name = runLabel({
        user: readNotes(folder),
        id: basename(folder),
        run,
        trial,
        ...numbered,
        ...(names.has(folder) && { name: names.get(folder) }),
      });
      return [folder, { name, ...numbered }];
    }),
  );
}

/** The names of a folder's runs that do not belong to a sweep. */
function namesIn(
  home: string,
  known: ReadonlyMap<string, Experiment | undefined>,
  numbers: RunNumbers,
): [string, string][] {
  const all = foldersIn(home).flatMap((folder) => {
    const spec = known.has(folder) ? known.get(folder) : readSpec(folder);
    if (!spec || trialOf(folder)) return [];
    const id = basename(folder);
    const number = numbers.get(id);
    return [{ folder, id, spec, number }];
  });
  const names = distinctNames(all);
  return all.map(({ folder }, i) => [folder, names[i]]);
}

function foldersIn(home: string): string[] {
  try {
    return readdirSync(home)
      .sort()
      .map((id) => join(home, id));
  } catch {
    return [];
  }
}

/** Undefined for anything that is not a run, and for a damaged one. */
function readSpec(folder: string): Experiment | undefined {
  try {
    return SUMMARY_PARSERS.spec(folder, readIfThereSync(runPaths(folder).spec));
  } catch (e) {
    if (e instanceof AuroraError) return undefined;
    throw e;
  }
}
