import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AuroraError } from '../base/errors';
import type { RunSource, TableState } from '../study/runs-table/fields';
import { experimentRuns, isSweepFolder, runPaths } from './layout';
import { nameAll } from './name-all';
import { hasDiverged, shownState, type ShownState } from './outcome';
import { readRunSummary, type RunSummary } from './run-summary';
import { readSweep } from './sweep/record';
import { readNotes, type RunUser } from './user';

export interface RowRead {
  run: ReadRun;
  /** The error of a damaged run, which is a row, too. */
  error?: AuroraError;
}

/** Reads runs for a table, and names them as the editor does. */
export function readForTable(folders: readonly string[]): RowRead[] {
  const read = folders.map(readOne);
  const names = nameAll(read.map(({ run: { folder, run } }) => ({ folder, ...(run && { spec: run.spec }) })));
  return read.map(({ run, ...more }) => ({ run: { ...run, ...names.get(run.folder) }, ...more }));
}

/** Reads a run whose name is not known among the others: its name is its id. */
export function readOne(folder: string): RowRead {
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

/** The facts that a table has about a run whose folder was read, even if `run` could not be. */
export interface ReadRun {
  folder: string;
  id: string;
  /** Its number in the experiment, if it has one. */
  number?: number;
  name: string;
  /** The experiment's display name. */
  experiment: string;
  state: ShownState;
  run?: RunSummary;
  user: RunUser;
}

export function runSource({ run, state, ...named }: ReadRun): RunSource {
  return {
    ...named,
    state: tableState(state, run),
    ...(run && { spec: run.spec, events: run.events, status: run.status }),
  };
}

/** A failed run may have diverged, and a sweep may have stopped one that lost to others. */
function tableState(state: ShownState, run: RunSummary | undefined): TableState {
  if (!run) return state;
  if (state === 'failed' && hasDiverged(run)) return 'diverged';
  const isPruned =
    state === 'stopped' && run.events.findLast((e) => e.kind === 'stopped')?.reason === 'pruned';
  return isPruned ? 'pruned' : state;
}

/**
 * The run folders of a table, without duplicates: of experiment files, sweep folders, run folders, folders that contain
 * runs, and folders with experiments at any depth, such as a workspace.
 *
 * @param mayBeEmpty true if a path may have no runs
 * @throws AuroraError 'run' for a path that does not exist or has no runs
 */
export function tableFolders(given: readonly string[], mayBeEmpty = false): string[] {
  return [...new Set(given.flatMap((path) => foldersOf(path, mayBeEmpty)))];
}

function foldersOf(path: string, mayBeEmpty: boolean): string[] {
  const there = statSync(path, { throwIfNoEntry: false });
  const runs = !there
    ? []
    : isRun(path)
      ? [path]
      : there.isFile()
        ? found(experimentRuns(path))
        : isSweepFolder(path)
          ? trials(path)
          : found(path);
  if (runs.length > 0 || (mayBeEmpty && there)) return runs;
  throw new AuroraError(
    'run',
    there ? `There are no runs in ${path}.` : `There is no file or folder ${path}.`,
    'Give an experiment file, a sweep’s folder, a folder with runs, or a folder with experiments.',
  );
}

const isRun = (path: string): boolean => existsSync(runPaths(path).spec) || existsSync(runPaths(path).events);

/** The runs of a sweep's trials, in the order in which they start. */
function trials(sweep: string): string[] {
  const name = basename(dirname(sweep));
  const runs = join(dirname(dirname(dirname(sweep))), 'runs', name);
  const started =
    readSweep(sweep)?.trials.flatMap(({ run }) => (run === undefined ? [] : [join(runs, run)])) ?? [];
  return started.filter(isRun);
}

/** In the order of the names, which is that of their starts. Neither deleted runs nor links are followed. */
function found(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  const names = foldersIn(folder).filter((name) => name !== 'node_modules');
  return names.flatMap((name) => {
    const path = join(folder, name);
    if (name === '.aurora') return found(join(path, 'runs'));
    if (name.startsWith('.')) return [];
    if (isRun(path)) return [path];
    return basename(folder) === '.aurora' && name !== 'runs' ? [] : found(path);
  });
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch {
    // A folder that may not be read does not hide the others.
    return [];
  }
}
