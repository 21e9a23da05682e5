import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomic } from '../../files/atomic';
import { isEntryName } from '../../files/contained';
import type { ProcessRecord } from '../../files/processes';
import { AuroraError } from '../../base/errors';
import type { MetricName } from '../../experiment/experiment';
import type { Settings, SweepSpec } from '../../experiment/sweep';
import { parseJson } from '../../files/json';
import { readIfThereSync } from '../../files/read';
import type { InputChange } from '../../protocol/events';
import { isInputFile, type InputFile } from '../inputs';
import { runPaths } from '../layout';

export const SWEEP_VERSION = 1;

/** The files of a sweep's folder. `status.json`, `control` and the log are as in a run's: runPaths has them. */
export const sweepPaths = (folder: string) => ({
  ...runPaths(folder),
  sweep: join(folder, 'sweep.json'),
  /** What trials have computed for each other; gone when all are over. */
  frozen: join(folder, 'frozen'),
});

/** sweep.json: what is to be tried, and which run each trial is. How the trials are, their run folders say. */
export interface SweepRecord {
  version: number;
  /** When it was first run, in ms since 1970. */
  begun: number;
  /** The experiment's name, and what was set on the command line. */
  name: string;
  overrides: string[];
  spec: SweepSpec;
  metric: MetricName;
  /** Hash of the experiment beside its sweep: with another one, another sweep begins. */
  baseHash: string;
  /** Dotted keys that differ between trials, in the order of the file. */
  varied: string[];
  /** How trials are run; kept, since another number of threads may give other bits. */
  room?: SweepRoom;
  /** Each file that trials read, as the newest trial that reads it found it. Sweeps of earlier versions have none. */
  inputs?: InputFile[];
  /** Changed files that somebody continued with, the newest last. */
  acceptedInputs?: AcceptedInputs[];
  /** Why the last queue ended before all was done, where a person has to decide; none while one is at work. */
  ended?: SweepEnd;
  /** In the order in which they are begun. */
  trials: TrialRecord[];
}

/** Trials that are `owned` by processes of other machines, or whose `inputs` have changed. */
export interface SweepEnd {
  error: 'owned' | 'inputs';
  message: string;
}

export interface AcceptedInputs {
  /** The number of the first trial that was trained on them. */
  trial: number;
  /** In ms since 1970. */
  at: number;
  files: InputChange[];
}

export interface SweepRoom {
  parallel: number;
  /** Threads of each trial. */
  threads: number;
  /** Bytes that a trial takes, where that was measured. */
  memory?: number;
  /** Where trials compute; as asked for where that was not measured. */
  engine: string;
  device: string;
}

export interface TrialRecord {
  /** Of its settings. */
  id: string;
  /** From 1; a trial keeps its number. */
  number: number;
  settings: Settings;
  /** The name of its run's folder, once it has begun. */
  run?: string;
  /** The process that was last started for it, and when, in ms since 1970. */
  launched?: { pid: number; at: number } & Partial<ProcessRecord>;
  /** False where the section no longer has it: it is shown, and not gone on with. */
  planned: boolean;
  /** It has yet to be checked, and none of the sweep's new trials is begun before that. */
  unchecked?: true;
  /** Its learning rate lost the search with other seeds, or none could be chosen, so it is not begun. */
  passedOver?: true;
}

/** trial.json of a run folder. */
export interface TrialOf {
  /** The name of the sweep's folder. */
  sweep: string;
  trial: string;
  number: number;
  settings: Settings;
}

export const writeSweep = (folder: string, record: SweepRecord): void =>
  writeAtomic(sweepPaths(folder).sweep, `${JSON.stringify(record, null, 2)}\n`, folder);

/** Undefined where there is none; AuroraError (`run`) where it is damaged. */
export function readSweep(folder: string): SweepRecord | undefined {
  const path = sweepPaths(folder).sweep;
  const bytes = readIfThereSync(path);
  return bytes && checkSweep(path, parseJson(path, bytes));
}

/** The value of a sweep.json. */
export function checkSweep(path: string, value: unknown): SweepRecord {
  const record = value as Partial<SweepRecord> | null;
  if (record?.version !== SWEEP_VERSION || !Array.isArray(record.trials) || typeof record.metric !== 'string')
    throw new AuroraError(
      'run',
      `${path} is not a sweep of this version.`,
      'It was changed or written by another version; restore it from a copy, or delete the sweep’s folder.',
    );
  const named = record.trials.every(
    (t: Partial<TrialRecord> | null) => t && (t.run === undefined || isEntryName(t.run)),
  );
  if (!named)
    throw new AuroraError(
      'run',
      `${path} gives a trial a run that is not the name of a folder.`,
      'It was changed or damaged after it was written; restore it from a copy, or delete the sweep’s folder.',
    );
  const { inputs = [], acceptedInputs = [] } = record;
  if (!Array.isArray(inputs) || !inputs.every(isInputFile) || !Array.isArray(acceptedInputs))
    throw new AuroraError(
      'run',
      `${path} does not say which files the trials were trained on.`,
      'It was changed or damaged after it was written; restore it from a copy, or delete the sweep’s folder.',
    );
  // Sweeps are trained without it.
  if (!isSweepEnd(record.ended)) delete record.ended;
  return record as SweepRecord;
}

function isSweepEnd(value: unknown): value is SweepEnd {
  const { error, message } = (value ?? {}) as Partial<Record<keyof SweepEnd, unknown>>;
  return (error === 'owned' || error === 'inputs') && typeof message === 'string';
}

export const writeTrial = (run: string, trial: TrialOf): void =>
  writeAtomic(runPaths(run).trial, `${JSON.stringify(trial)}\n`, run);

/** Which trial a run is; undefined for any other run, and where the file cannot be understood: it hides no run. */
export function trialOf(run: string): TrialOf | undefined {
  try {
    const trial = JSON.parse(readFileSync(runPaths(run).trial, 'utf8')) as Partial<TrialOf> | null;
    const known = isEntryName(trial?.sweep) && typeof trial.number === 'number';
    return known && typeof trial.settings === 'object' && trial.settings !== null
      ? (trial as TrialOf)
      : undefined;
  } catch {
    return undefined;
  }
}
