import type { Experiment } from '../../experiment/experiment';
import { withPaths } from '../../experiment/paths';
import type { InputFile } from '../../runs/inputs';
import { TASK_VERSION, type TaskFile } from '../../runs/sweep/task';
import type { TrialTask } from '../executor';

export interface TaskSettings {
  /** The name of the sweep's folder. */
  sweep: string;
  threads: number;
  engine: string;
  device: string;
  fallBack: boolean;
  acceptInputs: boolean;
}

/**
 * The file that describes a task's work, with all paths as they are on the cluster.
 *
 * @param run the run's folder here
 * @param inputs the files that it reads here
 * @param frozen the folder here in which trials share what they all compute
 * @param there returns the path there of a path here
 */
export function taskFile(
  { record, spec, until }: TrialTask,
  { sweep, threads, engine, device, fallBack, acceptInputs }: TaskSettings,
  { run, inputs, frozen }: { run: string; inputs: readonly InputFile[]; frozen: string },
  there: (path: string) => string,
): TaskFile {
  return {
    version: TASK_VERSION,
    run: there(run),
    ...{ sweep, trial: record.id, number: record.number, settings: record.settings },
    spec: withPaths(spec, there) satisfies Experiment,
    inputs: inputs.map((file) => inputThere(file, there)),
    until,
    ...{ threads, engine, device },
    ...(fallBack && { fallBack }),
    ...(acceptInputs && { acceptInputs }),
    frozen: there(frozen),
  };
}

/** A copy of the file has another identity, and the same bytes. */
function inputThere(file: InputFile, there: (path: string) => string): InputFile {
  const { identity, path, pattern, images, ...rest } = file;
  const moved = there(path);
  const own = moved === path ? images : images && { ...images, identity: undefined };
  return {
    ...{ ...rest, path: moved },
    pattern: pattern && there(pattern),
    ...(moved === path && identity && { identity }),
    ...(own && { images: own }),
  };
}
