import type { Experiment } from '../../experiment/experiment';
import type { InputFile } from '../../runs/inputs';
import { runOf } from '../../runs/sweep/record';
import type { TaskFile } from '../../runs/sweep/task';
import type { SweepTrials, TrialTask } from '../executor';
import type { ClusterFiles } from './files';
import { reserveRun } from './run-names';
import type { Submission } from './scheduler';
import type { Submissions } from './submissions';
import { taskFile } from './task-file';

/**
 * Writes the submission of these tasks for a scheduler, and before that the names of their runs into the sweep's
 * record.
 *
 * @param steps at which the trials are, by id
 * @throws AuroraError 'inputs' if files have changed since earlier trials were trained on them
 */
export async function createSubmission(
  submissions: Submissions,
  sweep: SweepTrials,
  files: ClusterFiles,
  tasks: readonly TrialTask[],
  steps: ReadonlyMap<string, number>,
  parallel: number | undefined,
): Promise<Submission> {
  const { runs, save, inputs } = sweep;
  const read = new Map<string, InputFile[]>();
  for (const { record, spec } of tasks) {
    const key = inputsKey(spec);
    if (!read.has(key)) read.set(key, await inputs(record, spec));
  }
  for (const { record } of tasks) reserveRun(record, runs);
  save();
  const written = function* (): Generator<TaskFile> {
    for (const task of tasks) {
      const own = read.get(inputsKey(task.spec))!;
      const run = runOf(task.record, runs)!;
      yield taskFile(task, sweep, { run, inputs: own }, (path) => files.there(path));
    }
  };
  const listed = tasks.map(({ record: { id, number, run } }) => ({
    ...{ trial: id, number, run: run!, step: steps.get(id) ?? 0 },
  }));
  return submissions.create(listed, written(), parallel);
}

/** Trials that read the same files have the same. */
export const inputsKey = ({ model, data }: Experiment): string => JSON.stringify([model, data]);
