import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { pick } from '../../data/list';
import {
  type EvaluationSet,
  evaluationSets,
  type MeasuredOn,
  scoredOn,
  setName,
} from '../../experiment/evaluation-sets';
import { writeAtomic } from '../../files/atomic';
import { hasNote } from '../../protocol/inputs-words';
import {
  encodePredictions,
  type PredictionFacts,
  type Predictions,
  type PredictLine,
} from '../../protocol/predictions';
import { inputsNote } from '../../runs/inputs-note';
import {
  evaluationAt,
  fileSum,
  outdated,
  type PredictedForm,
  predictionsFile,
  readPredictions,
} from '../../runs/predictions';
import { readRunSummary, type RunSummary } from '../../runs/run-summary';
import type { TaskKind } from '../../tasks/kind';
import type { DataSplit, LoadData } from '../../tasks/task-data';
import { type At, openTrained, stepOf, type Trained } from '../checkpoint/trained-run';
import { fitOf } from '../fit/fit-run';
import { fittedTask } from '../fit/fitted-task';
import { taskInForm } from '../loop/adapter-form';
import type { WritingWatch } from '../loop/written-answers';
import { measureTask, requireMetrics, type Seen } from '../measure';
import { workFolder } from '../process/leftovers';
import { experimentOfSet } from '../task/evaluation-data';
import type { Task } from '../task/task';
import { excerptsOf, withPictures } from './excerpts';

export interface PredictRequest {
  run: string;
  at: At;
  /** Another set instead of the validation data. */
  on?: MeasuredOn;
  /** Another form than the one that was trained last. */
  as?: PredictedForm;
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
  as = 'trained',
  again,
  emit,
  partial = false,
}: PredictRequest): Promise<Predictions> {
  const summary = readRunSummary(run);
  const set = on === 'validation' ? undefined : setOf(summary, on);
  const step = stepOf(summary, at);
  const there = again ? undefined : await readPredictions(run, step, on, undefined, as);
  if (
    there?.step === step &&
    !(await outdated(there, step, summary.events, on)) &&
    (await isOfSameFiles(there, summary))
  )
    return there;
  const { path: work, remove } = workFolder(run, 'predictions');
  try {
    const opened = await openTrained(run, at, work, (kind) => loadOf(kind, set));
    const trained = await inForm(opened, as);
    await emit({ kind: 'predicting', examples: trained.task.data.validation.dataset.examples.length });
    // Not awaited: the next batch need not wait until the reader has it.
    const told = partial ? (line: PredictLine) => void emit(line) : undefined;
    const predictions = await predict(trained, join(work, 'graph'), on, told, writingLines(emit));
    keep(run, predictionsFile(run, trained.step, on, as), predictions);
    return predictions;
  } finally {
    remove();
  }
}

async function inForm(opened: Trained, as: PredictedForm): Promise<Trained> {
  if (as === 'trained') return opened;
  return as === 'fitted' ? fitted(opened) : { ...opened, task: taskInForm(opened.task, 'static') };
}

/** The run with each σ replaced by its linear fit, and a bias where the regression has one. */
async function fitted(trained: Trained): Promise<Trained> {
  const { run, step, task, parameters } = trained;
  const fit = await fitOf(run.folder, step, { trained });
  return { ...trained, ...fittedTask(task, parameters, fit, { biasOf: () => true }) };
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
  watch: WritingWatch,
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
  const measured = await measureTask(task, parameters, folder, { seen, watch });
  const metrics = requireMetrics(measured, trained.run.folder, step);
  const answers = task.kind.predictions(validation, task.data, measured.logits);
  return {
    ...facts,
    metrics,
    excerpts: await withPictures(excerptsOf(validation, answers), validation.dataset, task.kind.thumbnail),
    ...answers,
  };
}

/** Milliseconds between two results, and to the first one: a page shows them as they come. */
const EVERY_MS = 500;
/** They take at most this share of the time, however large the set. */
const SHARE = 0.1;

/** Reports the answers that are written: now and then, and all of them. */
function writingLines(emit: PredictRequest['emit']): WritingWatch {
  let next = 0;
  return (done, of) => {
    const now = performance.now();
    if (now < next && done < of) return;
    next = now + EVERY_MS;
    void emit({ kind: 'writing', done, of });
  };
}

/**
 * Reports the predictions so far: now and then, as predictions for those examples alone.
 *
 * @param facts of the predictions that are being made
 * @returns a function that gets each example, with its logits or the numbers kept of them
 */
function partialPredictions(
  task: Task,
  facts: Omit<PredictionFacts, 'metrics' | 'excerpts'>,
  emit: (line: PredictLine) => void,
): Seen {
  const { validation } = task.data;
  const { examples } = validation.dataset;
  const of = examples.length;
  const seen = new Map<number, Float32Array>();
  const scorer = task.kind.scorer(task.data);
  let next = performance.now() + EVERY_MS;
  return (example, logits, kept) => {
    scorer.add(examples.at(example)!, logits);
    seen.set(example, kept);
    const began = performance.now();
    if (began < next || seen.size === of) return;
    const done = [...seen.keys()].sort((a, b) => a - b);
    const part: DataSplit = {
      ...validation,
      dataset: { ...validation.dataset, examples: pick(examples, done) },
    };
    const answers = task.kind.predictions(
      part,
      task.data,
      done.map((i) => seen.get(i)!),
    );
    const loss = answers.columns.loss.reduce((sum, x) => sum + x, 0) / done.length;
    const metrics = { loss, ...scorer.metrics(loss) };
    const predictions = encodePredictions({
      ...facts,
      metrics,
      excerpts: excerptsOf(part, answers),
      ...answers,
    });
    emit({ kind: 'partial', done: done.length, of, predictions });
    next = performance.now() + Math.max(EVERY_MS, (performance.now() - began) / SHARE);
  };
}
