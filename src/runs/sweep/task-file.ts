import { isAbsolute } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import type { Settings } from '../../experiment/sweep';
import { isEntryName } from '../../files/contained';
import { parseJson } from '../../files/json';
import { readIfThere } from '../../files/read';
import { type InputFile, isInputFile } from '../input-file';

export const TASK_VERSION = 1;

/**
 * The work of a scheduler's task: `tasks/<index>.json` of a submission's folder, for `aurora trial`. With the same file
 * it creates the run's folder, resumes the run, or finds that it has ended, so that a scheduler may start it any number
 * of times. All paths are those of the machine that trains.
 */
export interface TaskFile {
  version: number;
  /** The run's folder, absolute. */
  run: string;
  /** The name of the sweep's folder, the trial's id and its number there. */
  sweep: string;
  trial: string;
  number: number;
  settings: Settings;
  spec: Experiment;
  /** The files that the sweep was checked with; the run refuses others. */
  inputs: InputFile[];
  /** The comparison at which it pauses, such as `epoch:2`. */
  until?: string;
  threads: number;
  engine: string;
  device: string;
  fallBack?: boolean;
  acceptInputs?: boolean;
  /** The folder in which trials share what they all compute; omitted: none. */
  frozen?: string;
}

/** A node may not see yet the files that the login node has just written to a shared disk. */
const VISIBLE_MS = 30_000;
const LOOK_MS = 250;

/** @throws AuroraError 'run' if the file is missing, or is not a task of this version */
export async function readTask(path: string, visibleMs = VISIBLE_MS): Promise<TaskFile> {
  const until = performance.now() + visibleMs;
  let bytes = await readIfThere(path);
  while (!bytes && performance.now() < until) {
    await wait(LOOK_MS);
    bytes = await readIfThere(path);
  }
  if (!bytes)
    throw new AuroraError(
      'run',
      `There is no task file ${path}.`,
      'Check that the folder of the sweep is on a disk that all nodes of the cluster mount at the same path.',
    );
  return checkTask(path, parseJson(path, bytes));
}

function checkTask(path: string, value: unknown): TaskFile {
  const task = (value ?? {}) as Partial<TaskFile>;
  const object = (one: unknown) => typeof one === 'object' && one !== null && !Array.isArray(one);
  const text = (one: unknown) => typeof one === 'string';
  const isTask =
    task.version === TASK_VERSION &&
    text(task.run) &&
    isAbsolute(task.run!) &&
    isEntryName(task.sweep) &&
    text(task.trial) &&
    Number.isInteger(task.number) &&
    object(task.settings) &&
    object(task.spec) &&
    Array.isArray(task.inputs) &&
    task.inputs.every(isInputFile) &&
    (task.until === undefined || text(task.until)) &&
    Number.isInteger(task.threads) &&
    text(task.engine) &&
    text(task.device) &&
    (task.frozen === undefined || text(task.frozen));
  if (isTask) return task as TaskFile;
  throw new AuroraError(
    'run',
    `${path} is not a task of this version.`,
    'It was changed or written by another version; run the sweep again, which submits the trial with a new one.',
  );
}
