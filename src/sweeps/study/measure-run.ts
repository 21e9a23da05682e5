import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { isNonlinear } from '../../experiment/methods';
import { writeAtomic } from '../../files/atomic';
import { scoresOf } from '../../protocol/evaluations';
import { inputsNote } from '../../runs/inputs-note';
import { adapterSum, mergedFile, readGeometry, readMerged, sigmaShare } from '../../runs/run-in-study';
import { readRunSummary } from '../../runs/run-summary';
import { checkpointsHint } from '../../runs/sweep/checkpoints-hint';
import { hasGeometry } from '../../study/geometry';
import type { MergedMetrics } from '../../study/study-run';
import type { Parameters } from '../../engine/stepper';
import { fitOf } from '../../training/fit/fit-run';
import { fittedTask } from '../../training/fit/fitted-task';
import { nonlinearityOf } from '../../training/fit/nonlinearity';
import { openTrained } from '../../training/checkpoint/trained-run';
import { taskInForm } from '../../training/loop/adapter-form';
import { measureTask, requireMetrics } from '../../training/measure';
import { predictRun } from '../../training/predictions/predict';
import { workFolder } from '../../training/process/leftovers';
import type { Task } from '../../training/task/task';
import { keepGeometry } from './keep-geometry';

export type Measuring = 'geometry' | 'examples' | 'merged' | 'nonlinearity';

/**
 * Measures the data about a finished run's last evaluation that a study needs and its folder lacks: the geometry of ΔW,
 * the predictions for each example, the merged forms, and the share of the gain that needs σ. All of it is stored in the
 * run.
 */
export async function measureRun(folder: string, tell: (what: Measuring) => Promise<void>): Promise<void> {
  const run = readRunSummary(folder);
  const last = run.events.findLast((e) => e.kind === 'evaluation');
  if (!last)
    throw new AuroraError('run', `${folder} has not been evaluated yet.`, 'Wait for its first evaluation.');
  const { step, form } = last;
  const { changed } = await inputsNote(run, step);
  if (changed.length > 0)
    throw new AuroraError(
      'inputs',
      `${folder} cannot be measured as it was trained. ${changed.join(' ')}`,
      'Put the files back as they were.',
    );
  await tell('examples');
  const { metrics: trained } = await predictRun({
    run: folder,
    at: step,
    again: false,
    emit: async () => {},
  });
  const scores = scoresOf(run.events, run.spec.data);
  if (scores?.test !== undefined && scores.test !== 'diverged')
    await predictRun({ run: folder, at: scores.step, on: 'test', again: false, emit: async () => {} });
  if (hasGeometry(run.spec.adapter) && !(await readGeometry(folder, step))) {
    const hint = checkpointsHint(folder);
    if (hint !== undefined)
      throw new AuroraError('run', `${folder} has no checkpoints, from which ΔW is measured.`, hint);
    await tell('geometry');
    await keepGeometry(run, step);
  }
  if (!isNonlinear(run.spec.adapter) || form === 'static') return;
  if (!(await readMerged(folder, step))) {
    await tell('merged');
    await keepMerged(folder, step, trained);
  }
  if (await sigmaShare(run, last)) return;
  await tell('nonlinearity');
  await nonlinearityOf({ run: folder, at: step, layers: false, emit: () => {} });
}

async function keepMerged(folder: string, step: number, trained: MergedMetrics['trained']): Promise<void> {
  const { path: work, remove } = workFolder(folder, 'study');
  try {
    const opened = await openTrained(folder, step, work);
    const { task, parameters } = opened;
    const fit = fittedTask(task, parameters, await fitOf(folder, step, { trained: opened }), {
      biasOf: () => true,
    });
    const measured = async (of: Task, values: Parameters) =>
      requireMetrics(await measureTask(of, values, join(work, 'graph')), folder, step);
    const fitted = await measured(fit.task, fit.parameters);
    const paper = await measured(taskInForm(task, 'static'), parameters);
    const adapter = await adapterSum(folder, step);
    if (adapter === undefined)
      throw new AuroraError(
        'run',
        `${folder} no longer has a checkpoint of step ${step}.`,
        checkpointsHint(folder) ?? 'Train it again.',
      );
    const kept: MergedMetrics = { version: 1, step, adapter, trained, fitted, paper };
    writeAtomic(mergedFile(folder, step), `${JSON.stringify(kept, null, 2)}\n`, folder);
  } finally {
    remove();
  }
}
