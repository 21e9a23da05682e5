import { isAbsolute } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AuroraError } from '../../base/errors';
import { isEntryName } from '../../files/contained';
import { parseJson } from '../../files/json';
import { readIfThere } from '../../files/read';
import { isInputFile } from '../input-file';
import { TASK_VERSION, type TaskFile } from './task';

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
