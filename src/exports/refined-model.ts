import { join } from 'node:path';
import { AuroraError } from '../base/errors';
import { isHeadAlone, methodName } from '../experiment/methods';
import type { ExportLine } from '../protocol/export';
import type { Trained } from '../training/checkpoint/trained-run';
import { trainingDataChanges } from '../training/fit/fit-run';
import { refine } from '../training/fit/refine';
import { type ExportModel, type ExportModels, mergeIn, type ModelChoice } from './export-models';

export interface RefineSettings {
  /** Optimizer steps. */
  steps: number;
  /** Intra-op threads; 0 for one per core. */
  threads: number;
  /** The built program, which tries devices. */
  program: string;
}

/**
 * @throws AuroraError 'usage' if a run is not exported in its fitted form, 'inputs' if its training data are missing or
 *   have changed
 */
export async function requireRefinable(trained: Trained, choice: ModelChoice): Promise<void> {
  const { run, form, step } = trained;
  if (mergeIn(trained, choice) === 'fitted') {
    const why = await trainingDataChanges(run, step);
    if (why.length === 0) return;
    throw new AuroraError(
      'inputs',
      `${run.folder} cannot be refined, which trains on its training data. ${why.join(' ')}`,
      'Put the data back as they were, or export without --refine.',
    );
  }
  const { adapter } = run.spec;
  throw new AuroraError(
    'usage',
    form === 'static'
      ? `--refine trains the linear fit of AuroRA, but the last steps of ${run.folder} trained the static form, which is merged exactly.`
      : `--refine trains the linear fit of AuroRA, but ${run.folder} trained ${isHeadAlone(adapter) ? 'a head alone' : methodName(adapter)}, which is exported exactly.`,
    'Export without --refine.',
  );
}

/**
 * Trains the fitted adapters further, and writes these in their place.
 *
 * @param models of a run with its training data; the fitted one is written
 * @param work for temporary graphs
 */
export async function withRefined(
  { models, written: fitted, ...rest }: ExportModels,
  { steps, threads, program }: RefineSettings,
  work: string,
  emit: (line: ExportLine) => void | Promise<void>,
): Promise<ExportModels> {
  const start = fitted.load();
  const { metric } = start.task.spec.training;
  let spent = 0;
  const { parameters, refinement } = await refine(start, {
    ...{ steps, threads, program },
    folder: join(work, 'refine'),
    cost: (cost) => emit({ kind: 'refine-cost', ...cost }),
    stepped({ step, loss, learningRate, examples, seconds }) {
      spent += seconds;
      const secondsLeft = (spent / step) * (steps - step);
      void emit({ kind: 'refine-step', step, of: steps, loss, learningRate, examples, seconds, secondsLeft });
    },
    evaluated: (evaluation, best) => void emit({ kind: 'refine-evaluation', metric, best, ...evaluation }),
    warn: (message) => void emit({ kind: 'problem', severity: 'warning', message }),
  });
  const refined: ExportModel = { row: 'refined', load: () => ({ ...start, parameters }) };
  return {
    ...rest,
    models: models.flatMap((model) => (model === fitted ? [model, refined] : [model])),
    written: refined,
    refinement,
  };
}
