import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { diskError, writeAtomic } from '../files/atomic';
import { removeAbandoned } from '../files/temporary';
import { AuroraError } from '../base/errors';
import { giveNumber } from './numbers';

/** The files of a run by content. The trainer writes them unless noted otherwise. */
const FILES = {
  /** The experiment with every default filled in; never changed. */
  spec: 'spec.json',
  /** The experiment file's text as it was when the run was started; not of trials, forks and imported adapters. */
  source: 'experiment.aurora.json',
  /** The files it was trained on: SHA-256 of model, tokenizer and data. */
  inputs: 'inputs.json',
  events: 'events.jsonl',
  scalars: 'scalars.bin',
  scalarColumns: 'scalars.json',
  /** The resources that the trainer and the machine used, about once a second. */
  resources: 'resources.bin',
  resourceColumns: 'resources.json',
  /** Predictions of a few validation rows at each evaluation. */
  samples: 'samples.json',
  /** The results of a pipeline's encoders for images and prompts. */
  encoded: 'encoded',
  /** The pictures of the prompts of training.pictures, and index.json, which lists them. */
  pictures: 'pictures',
  activations: 'activations',
  status: 'status.json',
  /** Requests to the trainer, written by the process that watches it. */
  control: 'control',
  checkpoints: 'checkpoints',
  adapter: 'adapter',
  /** Written by `aurora export`, one folder per export. */
  exports: 'export',
  /** Event files for TensorBoard; written by `aurora export --as tensorboard`. */
  tensorboard: 'tensorboard',
  /** Predictions of checkpoints on the validation examples; written by `aurora errors`. */
  predictions: 'predictions',
  /** The linear form of its adapter, a file for each step; written by what needs it first. */
  fit: 'fit',
  /** The part of an adapter's effect that needs its nonlinearity; written by `aurora nonlinearity`. */
  nonlinearity: 'nonlinearity',
  /** Measurements that a study needs in addition; written by `aurora study`. */
  study: 'study',
  log: 'trainer.log',
  /** The user's name, note, star and tags. Written by the editor. */
  user: 'user.json',
  /** The sweep and trial that it belongs to; written before the trainer starts, and only for trials. */
  trial: 'trial.json',
  /** Written last. */
  result: 'result.json',
};

/** Absolute paths of a run's files. Each is put together when it is asked for: of thousands of runs, few are needed. */
export type RunPaths = { readonly [File in keyof typeof FILES]: string };

class Paths {
  constructor(readonly run: string) {}
}
for (const [file, name] of Object.entries(FILES))
  Object.defineProperty(Paths.prototype, file, {
    get(this: Paths) {
      return join(this.run, name);
    },
  });

export const runPaths = (run: string): RunPaths => new Paths(run) as unknown as RunPaths;

/**
 * Steps with six digits, so that names sort as numbers up to a million steps.
 *
 * @throws AuroraError 'run' for an invalid step: it may come from a journal, and a name must stay in its folder
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

/** An experiment's display name: its file name without the extension. */
export const experimentName = (experimentFile: string): string =>
  basename(experimentFile).replace(/\.aurora\.json$/, '');

/** The folder of an experiment file's runs: `.aurora/runs/<file name>` beside it. */
export const experimentRuns = (experimentFile: string): string => homeOf(experimentFile, 'runs');

/** The folder of an experiment file's sweeps; their trials are among its runs. */
export const experimentSweeps = (experimentFile: string): string => homeOf(experimentFile, 'sweeps');

/** The folder of an experiment file's claims; their trials are among its runs. */
export const experimentClaims = (experimentFile: string): string => homeOf(experimentFile, 'claims');

/**
 * The experiment file that the folder of a run, a sweep or a claim belongs to by its location. A run elsewhere only gets a
 * name beside it.
 */
export function experimentOf(folder: string): string {
  const all = dirname(folder);
  const home = dirname(all);
  const inPlace =
    ['runs', 'sweeps', 'claims'].includes(basename(home)) && basename(dirname(home)) === '.aurora';
  return join(inPlace ? dirname(dirname(home)) : home, `${basename(all)}.aurora.json`);
}

/** True if a folder is a sweep's rather than a run's, judging by its path. */
export const isSweepFolder = (folder: string): boolean =>
  basename(dirname(dirname(folder))) === 'sweeps' &&
  basename(dirname(dirname(dirname(folder)))) === '.aurora';

const homeOf = (experimentFile: string, what: string): string =>
  join(dirname(experimentFile), '.aurora', what, basename(experimentFile).replace(/(\.aurora)?\.json$/, ''));

/** UTC to the second, then four random bytes in hexadecimal: sorts by time, and two starts in one second differ. */
export const newRunId = (now: Date): string =>
  `${now.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z-${randomBytes(4).toString('hex')}`;

/** Creates and numbers the folder of a new run in `runs` and returns its path. Makes git ignore an `.aurora` folder above it. */
export function createRun(runs: string, now = new Date()): string {
  const run = createFolder(join(runs, newRunId(now)));
  giveNumber(run);
  return run;
}

/** The name of a new run in `runs`, with a number, whose folder is created later. */
export function reserveRunId(runs: string, now = new Date()): string {
  const id = newRunId(now);
  giveNumber(join(runs, id));
  return id;
}

/** Creates a folder and its parents if they are missing, and returns its path. */
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
 * The folder of a run that another process created (createRun) and that has not started.
 *
 * @throws AuroraError 'run' if the folder is missing or contains a journal
 */
export function requireUnbegun(run: string): string {
  if (!statSync(run, { throwIfNoEntry: false })?.isDirectory())
    throw new AuroraError(
      'run',
      `There is no run folder ${run}.`,
      'Omit --run to create one beside the experiment.',
    );
  if (existsSync(runPaths(run).events))
    throw new AuroraError(
      'run',
      `${run} already has a journal, so its training has started.`,
      'Continue it with --resume, or omit --run to start a new run.',
    );
  return run;
}

function ignoreInGit(folder: string): void {
  for (let at = folder; dirname(at) !== at; at = dirname(at)) {
    if (basename(at) !== '.aurora') continue;
    const file = join(at, '.gitignore');
    if (existsSync(file)) return;
    writeAtomic(file, '*\n');
    // A process that was killed while it wrote the same file left its own; no other command looks here.
    removeAbandoned(at);
    return;
  }
}
