import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { diskError, writeAtomic } from '../files/atomic';
import { AuroraError } from '../base/errors';

/** The files of a run, by what they hold. `writer` in comments is the trainer unless said otherwise. */
export const runPaths = (run: string) => ({
  /** The experiment with every default filled in; never changed. */
  spec: join(run, 'spec.json'),
  /** What it was trained on: SHA-256 of model, tokenizer and data. */
  inputs: join(run, 'inputs.json'),
  events: join(run, 'events.jsonl'),
  scalars: join(run, 'scalars.bin'),
  scalarColumns: join(run, 'scalars.json'),
  activations: join(run, 'activations'),
  status: join(run, 'status.json'),
  /** Requests to the trainer, written by whoever watches. */
  control: join(run, 'control'),
  checkpoints: join(run, 'checkpoints'),
  adapter: join(run, 'adapter'),
  /** What `aurora export` has made of it, a folder each. */
  exports: join(run, 'export'),
  /** What checkpoints make of the validation examples; written by `aurora errors`. */
  predictions: join(run, 'predictions'),
  /** What a comparison of runs needs and training does not write; written by `aurora study`. */
  study: join(run, 'study'),
  log: join(run, 'trainer.log'),
  /** The person's own: name, note, star. Written by whoever watches. */
  user: join(run, 'user.json'),
  /** Which trial of which sweep it is; written before the trainer begins, and only for trials. */
  trial: join(run, 'trial.json'),
  /** Written last. */
  result: join(run, 'result.json'),
});

/**
 * Steps with six digits, so that names sort as numbers up to a million steps.
 *
 * @throws AuroraError 'run' for what is no step: it may come from a journal, and a name must stay in its folder
 */
export function stepName(step: number): string {
  if (!Number.isSafeInteger(step) || step < 0)
    throw new AuroraError(
      'run',
      `${JSON.stringify(step)} is not a step of a run.`,
      'The journal was changed or damaged after it was written; restore it from a copy.',
    );
  return `step-${String(step).padStart(6, '0')}`;
}

/** The step in a name that `stepName` made; undefined for any other name. */
export function stepOfName(name: string): number | undefined {
  const match = /^step-(\d{6,})$/.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** An experiment as people call it: its file's name without the ending. */
export const experimentName = (experimentFile: string): string =>
  basename(experimentFile).replace(/\.aurora\.json$/, '');

/** Where the runs of an experiment file lie: `.aurora/runs/<file name>` beside it. */
export const experimentRuns = (experimentFile: string): string => homeOf(experimentFile, 'runs');

/** Where its sweeps lie; their trials are among its runs. */
export const experimentSweeps = (experimentFile: string): string => homeOf(experimentFile, 'sweeps');

/** Whether a folder is a sweep's and not a run's, by its place. */
export const isSweepFolder = (folder: string): boolean =>
  basename(dirname(dirname(folder))) === 'sweeps' &&
  basename(dirname(dirname(dirname(folder)))) === '.aurora';

const homeOf = (experimentFile: string, what: string): string =>
  join(dirname(experimentFile), '.aurora', what, basename(experimentFile).replace(/(\.aurora)?\.json$/, ''));

/** UTC to the second, then four random bytes in hexadecimal: sorts by time, and two starts in one second differ. */
export const newRunId = (now: Date): string =>
  `${now.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z-${randomBytes(4).toString('hex')}`;

/** Makes the folder of a new run under `runs` and returns its path. An `.aurora` folder above it is kept out of git. */
export const createRun = (runs: string, now = new Date()): string => createFolder(join(runs, newRunId(now)));

/** Makes a folder where there is none yet, with those above it, and returns its path. */
export function createFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (e) {
    throw diskError(folder, e);
  }
  ignoreInGit(folder);
  return folder;
}

/**
 * The folder of a run that somebody else made (createRun) and that has not begun.
 *
 * @throws AuroraError 'run' where there is no such folder or it holds a journal
 */
export function requireUnbegun(run: string): string {
  if (!statSync(run, { throwIfNoEntry: false })?.isDirectory())
    throw new AuroraError(
      'run',
      `There is no run folder ${run}.`,
      'Leave --run out to have one made beside the experiment.',
    );
  if (existsSync(runPaths(run).events))
    throw new AuroraError(
      'run',
      `${run} has a journal already, so its training has begun.`,
      'Go on with it by --resume, or leave --run out to begin a new run.',
    );
  return run;
}

function ignoreInGit(folder: string): void {
  for (let at = folder; dirname(at) !== at; at = dirname(at)) {
    if (basename(at) !== '.aurora') continue;
    const file = join(at, '.gitignore');
    if (!existsSync(file)) writeAtomic(file, '*\n');
    return;
  }
}
