import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { writeAtomic } from '../../files/atomic';
import { isEntryName } from '../../files/contained';
import type { ProcessRecord } from '../../files/processes';
import { AuroraError, type KnownError } from '../../base/errors';
import type { ExecutorName } from '../../experiment/cluster';
import type { MetricName } from '../../experiment/metrics';
import type { Pruning, RateSearch, Settings, SweepSpec } from '../../experiment/sweep';
import { parseJson } from '../../files/json';
import { readIfThereSync } from '../../files/read';
import type { InputChange } from '../../protocol/events';
import { foundInput, isInputFile, storedInput, type InputFile } from '../input-file';
import { runPaths } from '../layout';

export const SWEEP_VERSION = 1;

/** The files of a sweep's folder; its control requests and its log are where a run's are (runPaths). */
export const sweepPaths = (folder: string) => ({
  status: runPaths(folder).status,
  sweep: join(folder, 'sweep.json'),
  /** Values that trials share; removed when all are over. */
  frozen: join(folder, 'frozen'),
});

/** sweep.json: the planned trials and the run of each. The states of the trials are in their run folders. */
export interface SweepRecord {
  version: number;
  /** The time when it was first run, in ms since 1970. */
  begun: number;
  /** The experiment's name. */
  name: string;
  /** Settings from the command line. */
  overrides: string[];
  spec: SweepSpec;
  metric: MetricName;
  /** Hash of the experiment without its sweep: a different experiment starts a new sweep. */
  baseHash: string;
  /** Dotted keys that differ between trials, in the order of the file. */
  varied: string[];
  /** The place where trials are trained; this machine if omitted. */
  on?: Exclude<ExecutorName, 'local'>;
  /** The parallel trials and threads; kept, since a different number of threads may change the bits. */
  room?: SweepRoom;
  /** Each file that trials read, as its newest reader found it; none before the first one is read. */
  inputs?: InputFile[];
  /** Changed files that the user chose to continue with, newest last. */
  acceptedInputs?: AcceptedInputs[];
  /**
   * The error that ended the last queue; unset while a queue is running. Of trials that it left to the user, the kind is
   * `owned` by processes on other machines, or their `inputs` have changed.
   */
  ended?: KnownError;
  /** In the order in which they start. */
  trials: TrialRecord[];
}

export interface AcceptedInputs {
  /** The number of the first trial trained on them. */
  trial: number;
  /** In ms since 1970. */
  at: number;
  files: InputChange[];
}

export interface SweepRoom {
  parallel: number;
  /** Threads of each trial. */
  threads: number;
  /** Bytes per trial, if measured. */
  memory?: number;
  /** The trials' engine and device; as requested if not measured. */
  engine: string;
  device: string;
}

export interface TrialRecord {
  /** Hash of its settings. */
  id: string;
  /** Starting at 1; a trial keeps its number. */
  number: number;
  settings: Settings;
  /** The name of its run's folder, once it has started. */
  run?: string;
  /** The last process started for it, when, in ms since 1970, and the GPU that it got if there are several. */
  launched?: { pid: number; at: number; gpu?: string } & Partial<ProcessRecord>;
  /** False if the sweep section no longer has it: it is shown but not continued. */
  planned: boolean;
  /** Not checked yet; none of the sweep's new trials starts before that. */
  unchecked?: true;
  /** Not started: its learning rate lost the search with other seeds, or no rate could be chosen. */
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

/** The folder of a trial's run; undefined before it has a name. */
export const runOf = ({ run }: TrialRecord, runs: string): string | undefined =>
  run === undefined ? undefined : join(runs, run);

export function writeSweep(folder: string, record: SweepRecord): void {
  const inputs = record.inputs?.map((file) => storedInput(folder, file));
  const value = { ...record, ...(inputs && { folder: resolve(folder), inputs }) };
  writeAtomic(sweepPaths(folder).sweep, `${JSON.stringify(value, null, 2)}\n`, folder);
}

/** Undefined if there is none. Throws AuroraError (`run`) if it is damaged. */
export function readSweep(folder: string): SweepRecord | undefined {
  const path = sweepPaths(folder).sweep;
  const bytes = readIfThereSync(path);
  return bytes && checkSweep(path, parseJson(path, bytes));
}

/** The value of a sweep.json. */
export function checkSweep(path: string, value: unknown): SweepRecord {
  const record = value as Partial<SweepRecord> | null;
  if (record?.version !== SWEEP_VERSION || !isPlan(record))
    throw new AuroraError(
      'run',
      `${path} is not a sweep of this version.`,
      'It was changed or written by another version; restore it from a copy, or delete the sweep’s folder.',
    );
  const named = record.trials.every(({ run }) => run === undefined || isEntryName(run));
  if (!named)
    throw new AuroraError(
      'run',
      `${path} has a trial with a run that is not a folder name.`,
      'It was changed or damaged after it was written; restore it from a copy, or delete the sweep’s folder.',
    );
  const { inputs = [], acceptedInputs = [] } = record;
  if (!Array.isArray(inputs) || !inputs.every(isInputFile) || !Array.isArray(acceptedInputs))
    throw new AuroraError(
      'run',
      `${path} does not list the files that the trials were trained on.`,
      'It was changed or damaged after it was written; restore it from a copy, or delete the sweep’s folder.',
    );
  // A sweep can be trained without it.
  if (!isKnownError(record.ended)) delete record.ended;
  const { folder: was, ...rest } = record as SweepRecord & { folder?: string };
  const found = inputs.map((file) => foundInput(dirname(path), file, was));
  return { ...rest, ...(rest.inputs && { inputs: found }) };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((text) => typeof text === 'string');

/** True if it has the fields that everything that lists a sweep relies on. */
function isPlan(record: Partial<SweepRecord>): record is SweepRecord {
  const { begun, name, overrides, spec, metric, baseHash, varied, room, trials } = record;
  const { parameters, pruning, learningRateSearch: search } = (spec ?? {}) as Partial<SweepSpec>;
  return (
    typeof begun === 'number' &&
    [name, baseHash].every((text) => typeof text === 'string') &&
    typeof metric === 'string' &&
    isTexts(overrides) &&
    isTexts(varied) &&
    isObject(spec) &&
    (parameters === undefined || isObject(parameters)) &&
    (pruning === undefined || typeof (pruning as Partial<Pruning> | null)?.eta === 'number') &&
    (search === undefined || typeof (search as Partial<RateSearch> | null)?.seeds === 'number') &&
    (room === undefined || (isObject(room) && [room.parallel, room.threads].every(Number.isFinite))) &&
    Array.isArray(trials) &&
    trials.every(isTrialRecord)
  );
}

function isTrialRecord(value: unknown): value is TrialRecord {
  if (!isObject(value)) return false;
  const { id, number, settings, launched, planned } = value;
  const launch = launched as TrialRecord['launched'] | null;
  return (
    typeof id === 'string' &&
    Number.isSafeInteger(number) &&
    isObject(settings) &&
    typeof planned === 'boolean' &&
    (launch === undefined || (typeof launch?.pid === 'number' && typeof launch.at === 'number'))
  );
}

function isKnownError(value: unknown): value is KnownError {
  const { kind, message } = (value ?? {}) as Partial<Record<keyof KnownError, unknown>>;
  return typeof kind === 'string' && typeof message === 'string';
}

export const writeTrial = (run: string, trial: TrialOf): void =>
  writeAtomic(runPaths(run).trial, `${JSON.stringify(trial)}\n`, run);

/** A trial has at most 100 settings. */
const MOST_TRIAL_BYTES = 2 ** 20;

/** The trial that a run belongs to. Undefined for other runs and for an invalid file, which must not hide the run. */
export function trialOf(run: string): TrialOf | undefined {
  const path = runPaths(run).trial;
  // Most runs have none, and the error of a failed read costs more than to look first.
  if (!existsSync(path)) return undefined;
  try {
    const trial = JSON.parse(
      readIfThereSync(path, MOST_TRIAL_BYTES)?.toString('utf8') ?? 'null',
    ) as Partial<TrialOf> | null;
    const known = isEntryName(trial?.sweep) && typeof trial.number === 'number';
    return known && typeof trial.settings === 'object' && trial.settings !== null
      ? (trial as TrialOf)
      : undefined;
  } catch {
    return undefined;
  }
}
