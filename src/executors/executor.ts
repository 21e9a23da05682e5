import type { Experiment } from '../experiment/experiment';
import type { OwnerRecord } from '../files/fence';
import type { InputFile } from '../runs/inputs';
import type { TrialView, TrialLooker } from '../runs/sweep/look';
import type { SweepRoom, TrialRecord } from '../runs/sweep/record';

/** A trial to train now: from its beginning or, if its run has begun, from its last checkpoint. */
export interface TrialTask {
  record: TrialRecord;
  spec: Experiment;
  /** The comparison at which it pauses, such as `epoch:2`. */
  until?: string;
}

/** The trials of a sweep, as all executors train them. */
export interface SweepTrials {
  /** The sweep's folder, which this process owns. */
  folder: string;
  /** The folder of the experiment's runs. */
  runs: string;
  /** Each planned trial's experiment, by id. */
  specs: ReadonlyMap<string, Experiment>;
  /** The number of trials at a time, and the threads and the device of each. */
  room: SweepRoom;
  fallBack: boolean;
  /** Accept files that changed since a trial was trained on them. */
  acceptInputs: boolean;
  /** The files that a new trial will read; AuroraError 'inputs' if they differ from those of earlier trials. */
  inputs(trial: TrialRecord, spec: Experiment): Promise<InputFile[]>;
  /** Writes the sweep's record with all its trials to disk. */
  save(): void;
  /** Has looked at the trials before. */
  looker: TrialLooker;
}

export interface Submitted {
  /** Ids of the trials that were started or queued. */
  trials: readonly string[];
  /** Trials that were skipped and their owners, by trial id: processes that this machine cannot see. */
  elsewhere: ReadonlyMap<string, OwnerRecord>;
}

/** Trains the trials of one sweep. All its state is on disk: another process can continue at any time. */
export interface Executor {
  /** Between two looks at the trials, in milliseconds. */
  readonly interval: number;
  /** Trials wait and run without this process, which only follows them: Ctrl-C ends no more than that. */
  readonly outlives: boolean;
  /** The state of each trial; copies the files that are needed to show it here, if it is elsewhere. */
  follow(trials: readonly TrialRecord[]): Promise<readonly TrialView[]>;
  /**
   * Starts or queues the first of these tasks, as many as fit. If this process is killed at any time, the next one
   * finds all submitted tasks on disk.
   *
   * @param trials all of the sweep
   * @throws AuroraError 'inputs' if files have changed since earlier trials were trained on them
   */
  submit(tasks: readonly TrialTask[], trials: readonly TrialView[]): Promise<Submitted>;
  /** Asks trials to save and end, and takes those that have not begun out of the queue. May be repeated. */
  cancel(trials: readonly TrialView[]): Promise<void>;
  /**
   * Copies the run folders of trials that have ended to this machine. A cluster that shares no folder may keep their
   * checkpoints.
   *
   * @returns true if they all are here; otherwise, try again
   */
  collect(trials: readonly TrialView[]): Promise<boolean>;
  /** Removes files that only trials needed, on the machine that trained them: all are over. */
  tidy?(): Promise<void>;
}
