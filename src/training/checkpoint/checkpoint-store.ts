import { createHash } from 'node:crypto';
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { own } from '../../base/names';
import { sortedJson } from '../../base/sorted-json';
import { discard, diskError, writeAtomic } from '../../files/atomic';
import { requireOwned } from '../../files/fence';
import { flushFolder, makeFolderIn, renameFlushed } from '../../files/folder';
import { readJsonIfThere } from '../../files/json';
import { readIfThereSync } from '../../files/read';
import { isTemporary, temporaryBeside } from '../../files/temporary';
import { decodeSafetensors, encodeSafetensors } from '../../graph/file/safetensors';
import { runPaths, stepName, stepOfName } from '../../runs/layout';
import { hasFiniteValues } from '../optimizer/finite';
import {
  type Checkpoint,
  CHECKPOINT_VERSION,
  courseIn,
  courseTensors,
  type CheckpointState,
  optimizerOf,
  optimizerTensors,
  parameterTensors,
  valuesOf,
} from './checkpoint';

const STATE = 'state.json';
const ADAPTER = 'adapter.safetensors';
const OPTIMIZER = 'optimizer.safetensors';

/**
 * state.json on disk: the state, the SHA-256 of the two files beside it, and the SHA-256 of all this as sorted JSON.
 */
type StoredState = CheckpointState & { sha256: Record<string, string>; checksum: string };

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/**
 * Writes checkpoints/step-…/ and returns its path. Everything is written and flushed to a temporary folder, then
 * renamed, so a kill at any moment leaves either the earlier checkpoints or the complete new one. Then removes
 * checkpoints that are no longer needed (checkpointsToKeep).
 */
export function saveCheckpoint(run: string, checkpoint: Checkpoint): string {
  const { state } = checkpoint;
  const folder = runPaths(run).checkpoints;
  const target = join(folder, stepName(state.step));
  const temporary = temporaryBeside(target);
  const files = {
    [ADAPTER]: encodeSafetensors(parameterTensors(checkpoint.parameters)),
    [OPTIMIZER]: encodeSafetensors(
      new Map([...optimizerTensors(checkpoint.optimizer), ...courseTensors(checkpoint.course)]),
      { step: String(checkpoint.optimizer.step) },
    ),
  };
  const sums = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, sha256(bytes)]));
  const stored = { ...state, sha256: sums };
  const checked: StoredState = { ...stored, checksum: checksum(stored) };
  try {
    requireOwned(folder);
    removeLeftovers(makeFolderIn(run, folder));
    for (const [name, bytes] of Object.entries(files)) writeAtomic(join(temporary, name), bytes, run);
    writeAtomic(join(temporary, STATE), `${JSON.stringify(checked, null, 2)}\n`, run);
    flushFolder(temporary);
    requireOwned(target);
    replaceFolder(temporary, target);
    prune(run, state);
  } catch (e) {
    discard(temporary);
    throw diskError(target, e);
  }
  return target;
}

/** Reads a checkpoint folder. Throws AuroraError `run` if a file is missing, damaged or of another version. */
export function readCheckpoint(path: string): Checkpoint {
  const { sha256: sums, ...state } = readState(path);
  const file = (name: string) => {
    const where = join(path, name);
    const bytes = readIfThereSync(where, Infinity);
    if (!bytes) throw gone(where);
    if (sha256(bytes) !== own(sums, name))
      throw new AuroraError(
        'run',
        `${where} has changed since it was written: its SHA-256 differs.`,
        'Resume from an earlier checkpoint of the run.',
      );
    return decodeSafetensors(bytes, where);
  };
  const optimizer = file(OPTIMIZER);
  return {
    state,
    parameters: valuesOf(file(ADAPTER).tensors),
    optimizer: optimizerOf(optimizer.tensors, Number(optimizer.metadata.step)),
    course: courseIn(optimizer.tensors),
  };
}

/**
 * The newest intact checkpoint that has not diverged; each one skipped is reported to `warn`. Undefined if there is
 * none.
 */
export function latestCheckpoint(
  run: string,
  warn: (message: string) => void,
): { path: string; checkpoint: Checkpoint } | undefined {
  const folder = runPaths(run).checkpoints;
  for (const step of checkpointSteps(run).reverse()) {
    const path = join(folder, stepName(step));
    try {
      const checkpoint = readCheckpoint(path);
      if (hasFiniteValues(checkpoint.parameters)) return { path, checkpoint };
      warn(`Skipped the checkpoint of step ${step}: its model had diverged.`);
    } catch (e) {
      if (!(e instanceof AuroraError)) throw e;
      warn(`Skipped the checkpoint of step ${step}: ${e.message}`);
    }
  }
  return undefined;
}

/** Its cause names the path that is gone: that of a training run may be one of many that are just being removed. */
const gone = (path: string): AuroraError =>
  new AuroraError('run', `${path} is missing.`, 'Resume from an earlier checkpoint of the run.', {
    cause: Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT', path }),
  });

/** The state without its verified checksum. */
function readState(path: string): Omit<StoredState, 'checksum'> {
  const where = join(path, STATE);
  const state = readJsonIfThere(where) as Partial<StoredState> | null | undefined;
  if (state === undefined) throw gone(where);
  if (state?.version !== CHECKPOINT_VERSION)
    throw new AuroraError(
      'run',
      `${where} has version ${state?.version}, but this version of AuroRA Lab reads version ${CHECKPOINT_VERSION}.`,
      'Resume with the version of AuroRA Lab that wrote it.',
    );
  if (typeof state.step !== 'number' || typeof state.sha256 !== 'object' || state.sha256 === null)
    throw new AuroraError('run', `${where} is not a valid checkpoint state.`);
  if (stepOfName(basename(path)) !== state.step)
    throw new AuroraError('run', `${where} is from step ${state.step}, but its folder is ${basename(path)}.`);
  const { checksum: written, ...rest } = state as StoredState;
  if (written !== checksum(rest))
    throw new AuroraError(
      'run',
      `${where} has changed since it was written: its checksum differs.`,
      'Resume from an earlier checkpoint of the run.',
    );
  return rest;
}

/** Computed on the content as the disk returns it: JSON omits undefined values. */
const checksum = (state: Omit<StoredState, 'checksum'>): string =>
  sha256(sortedJson(JSON.parse(JSON.stringify(state))));

function prune(run: string, newest: CheckpointState): void {
  const folder = runPaths(run).checkpoints;
  const steps = checkpointSteps(run);
  const keep = checkpointsToKeep(steps, newest.step, (step) => bestAsOf(join(folder, stepName(step))));
  requireOwned(folder);
  for (const step of steps) if (!keep.has(step)) remove(join(folder, stepName(step)));
}

/**
 * Out of sight first. NFS keeps a file that a process on this machine has open, under another name (`.nfs…`), and the
 * folder with it: the rest is removed like any leftover, and does not end the run.
 */
function remove(checkpoint: string): void {
  const aside = temporaryBeside(checkpoint);
  renameSync(checkpoint, aside);
  discard(aside);
}

/** The step of the best evaluation up to a checkpoint; undefined if there is none or it cannot be read. */
function bestAsOf(path: string): number | undefined {
  try {
    return readState(path).best?.step;
  } catch {
    // Skipped and reported when a run tries to start from it.
    return undefined;
  }
}

/** Steps for which a run has checkpoints, ascending. */
export function checkpointSteps(run: string): number[] {
  return namesIn(runPaths(run).checkpoints)
    .map(stepOfName)
    .filter((step) => step !== undefined)
    .sort((a, b) => a - b);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw e;
  }
}

/** Removes the leftovers of a kill: a run has one writer. */
function removeLeftovers(folder: string): void {
  for (const name of namesIn(folder)) if (isTemporary(name)) discard(join(folder, name));
}

/** A checkpoint that was being replaced by another for the same step. */
const REPLACED = /^\.(step-\d{6,})\..*tmp\.old$/;

/**
 * Restores a checkpoint that a kill left aside while another for the same step was replacing it. The run's owner must
 * call this before its checkpoints are read.
 */
export function putBackReplaced(run: string): void {
  const folder = runPaths(run).checkpoints;
  for (const name of namesIn(folder)) {
    const target = REPLACED.exec(name)?.[1];
    if (target === undefined || existsSync(join(folder, target))) continue;
    requireOwned(folder);
    try {
      renameFlushed(join(folder, name), join(folder, target));
    } catch (e) {
      throw diskError(folder, e);
    }
  }
}

/** A non-empty folder cannot be replaced by a rename; `putBackReplaced` repairs a kill between the two renames. */
function replaceFolder(from: string, to: string): void {
  const old = `${from}.old`;
  try {
    renameSync(to, old);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'ENOENT') throw e;
  }
  renameFlushed(from, to);
  discard(old);
}

/** The most checkpoints that a run keeps spread over its steps, for inspection and forks. */
const SPREAD = 20;

/**
 * The checkpoints that a run keeps once that of step `newest` is written: the newest two, in case one is damaged; up to
 * twenty spread evenly over its steps; and for each of these the best one up to it, so that a fork knows its best
 * adapter so far. Those after `newest` belong to steps that a resume has discarded.
 *
 * Beyond twenty, the steps are cut into cells of a power of two, and each cell keeps its first. When the run
 * outgrows twenty cells their width doubles, which drops about every other one.
 *
 * @param steps  of all existing checkpoints, ascending
 * @param bestOf the step of the best evaluation as of a checkpoint, if it had any
 */
export function checkpointsToKeep(
  steps: readonly number[],
  newest: number,
  bestOf: (step: number) => number | undefined,
): Set<number> {
  const past = steps.filter((step) => step <= newest);
  const keep = new Set(past.length > SPREAD ? [...firstOfCells(past, newest), ...past.slice(-2)] : past);
  for (const step of [...keep]) {
    const best = bestOf(step);
    if (best !== undefined) keep.add(best);
  }
  return keep;
}

function firstOfCells(steps: readonly number[], newest: number): number[] {
  let width = 1;
  while (Math.floor(newest / width) >= SPREAD) width *= 2;
  const firsts = new Map<number, number>();
  for (const step of steps) {
    const cell = Math.floor(step / width);
    if (!firsts.has(cell)) firsts.set(cell, step);
  }
  return [...firsts.values()];
}
