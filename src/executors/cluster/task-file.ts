import { basename } from 'node:path';
import type { Experiment } from '../../experiment/experiment';
import { withPaths } from '../../experiment/paths';
import type { InputFile } from '../../runs/inputs';
import { TASK_VERSION, type TaskFile } from '../../runs/sweep/task';
import { sweepPaths } from '../../runs/sweep/record';
import type { SweepTrials, TrialTask } from '../executor';

/**
 * The file that describes a task's work, with all paths as they are on the cluster.
 *
 * @param run the run's folder here
 * @param inputs the files that it reads here
 * @param there returns the path there of a path here
 */
export function taskFile(
  { record, spec, until }: TrialTask,
  { folder, room: { threads, engine, device }, fallBack, acceptInputs }: SweepTrials,
  { run, inputs }: { run: string; inputs: readonly InputFile[] },
  there: (path: string) => string,
): TaskFile {
  return {
    version: TASK_VERSION,
    run: there(run),
    ...{ sweep: basename(folder), trial: record.id, number: record.number, settings: record.settings },
    spec: withPaths(spec, there) satisfies Experiment,
    inputs: inputs.map((file) => inputThere(file, there)),
    until,
    ...{ threads, engine, device },
    ...(fallBack && { fallBack }),
    ...(acceptInputs && { acceptInputs }),
    frozen: there(sweepPaths(folder).frozen),
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
    images: own,
  };
}
