import { join } from 'node:path';
import { writeAtomic } from '../../files/atomic';
import { evaluationAt, fileSum, outdated, predictionsFile, readPredictions } from '../../runs/predictions';
import { readRunSummary, type RunSummary } from '../../runs/read';
import { AuroraError } from '../../base/errors';
import {
  evaluationSets,
  scoredOn,
  setName,
  type EvaluationSet,
  type MeasuredOn,
} from '../../experiment/evaluation-sets';
import type { TaskKind } from '../../tasks/kind';
import type { LoadData } from '../../tasks/task-data';
import { experimentOfSet } from '../task/evaluation-data';
import { encodePredictions, type PredictLine, type Predictions } from '../../protocol/predictions';
import { measureTask, requireMetrics } from '../measure/measure';
import { hasNote } from '../../protocol/inputs-words';
import { inputsNote } from '../../runs/inputs-note';
import { openTrained, stepOf, type At, type Trained } from '../checkpoint/trained-run';
import { workFolder } from '../process/work-folder';
import { excerptsOf, withPictures } from './excerpts';
import { partialPredictions } from './partial';

export interface PredictRequest {
  run: string;
  at: At;
  /** Another set instead of the validation data. */
  on?: MeasuredOn;
  /** Even if they exist. */
  again: boolean;
  emit: (line: PredictLine) => Promise<void>;
  /** Set to report the predictions so far. */
  partial?: boolean;
}

/**
 * A checkpoint's predictions for each example of a set: from its file or, if that is missing or outdated, computed on the
 * CPU and saved there.
 */
export async function predictRun({
  run,
  at,
  on = 'validation',
  again,
  emit,
  partial = false,
}: PredictRequest): Promise<Predictions> {
  const summary = readRunSummary(run);
  const set = on === 'validation' ? undefined : setOf(summary, on);
  const step = stepOf(summary, at);
  const there = again ? undefined : await readPredictions(run, step, on);
  if (
    there?.step === step &&
    !(await outdated(there, step, summary.events, on)) &&
    (await isOfSameFiles(there, summary))
  )
    return there;
  const { path: work, remove } = workFolder(run, 'predictions');
  try {
    const trained = await openTrained(run, at, work, (kind) => loadOf(kind, set));
    await emit({ kind: 'predicting', examples: trained.task.data.validation.dataset.examples.length });
    // Not awaited: the next batch need not wait until the reader has it.
    const told = partial ? (line: PredictLine) => void emit(line) : undefined;
    const predictions = await predict(trained, join(work, 'graph'), on, told);
    keep(run, predictionsFile(run, trained.step, on), predictions);
    return predictions;
  } finally {
    remove();
  }
}

/** @throws AuroraError 'usage' if the run has none of that name */
function setOf({ folder, spec }: RunSummary, on: MeasuredOn): EvaluationSet {
  const sets = evaluationSets(spec.data);
  const set = sets.find(({ name }) => scoredOn(name) === on);
  if (set) return set;
  const names = ['validation', ...sets.map(({ name }) => scoredOn(name))];
  throw new AuroraError(
    'usage',
    on === 'test'
      ? `The experiment of ${folder} has no test set.`
      : `The experiment of ${folder} has no evaluation set "${setName(on)}".`,
    `Its sets are ${names.join(', ')}. To add one, set data.test or data.evaluations and start a new run.`,
  );
}

const loadOf = (kind: TaskKind, set: EvaluationSet | undefined): LoadData =>
  set
    ? (spec, model, known) => kind.loadValidation(experimentOfSet(spec, set), model, known)
    : kind.loadValidation;

/** Predictions made with changed files are not shown for other files. */
async function isOfSameFiles({ inputs, step }: Predictions, run: RunSummary): Promise<boolean> {
  if (!inputs?.changed.length) return true;
  return JSON.stringify(inputs.changed) === JSON.stringify((await inputsNote(run, step)).changed);
}

function keep(run: string, path: string, predictions: Predictions): void {
  try {
    writeAtomic(path, encodePredictions(predictions), run);
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    throw new AuroraError(
      'disk',
      e.message,
      'Predictions are stored in the run folder: free some space there, or copy the run to a writable folder.',
      { cause: e },
    );
  }
}

async function predict(
  trained: Trained,
  folder: string,
  on: MeasuredOn,
  told: ((line: PredictLine) => void) | undefined,
): Promise<Predictions> {
  const { task, parameters, step, form, inputs } = trained;
  const evaluation = evaluationAt(trained.run.events, step, on)?.metrics;
  const { validation } = task.data;
  const facts = {
    step,
    form,
    data: {
      file: validation.path,
      sha256: (await fileSum(validation.path)) ?? '',
      ...(validation.parts && { parts: [...validation.parts] }),
    },
    evaluation,
    ...(hasNote(inputs) && { inputs }),
  };
  const seen = told && partialPredictions(task, facts, told);
  const measured = await measureTask(task, parameters, folder, seen);
  const metrics = requireMetrics(measured, trained.run.folder, step);
  const answers = task.kind.predictions(validation, task.data, measured.logits);
  return {
    ...facts,
    metrics,
    excerpts: await withPictures(excerptsOf(validation, answers), validation.dataset, task.kind.thumbnail),
    ...answers,
  };
}
