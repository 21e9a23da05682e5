import type * as vscode from 'vscode';
import type { ExecutorName } from '../../experiment/cluster';
import type { NodeProgram } from './node-program';

export interface ResumeOptions {
  /** From a process on another machine that is known to have ended. */
  takeOver?: boolean;
  /** With a model, tokenizer or data that have changed since. */
  acceptChangedInputs?: boolean;
}

export interface SweepOptions extends ResumeOptions {
  /** The place where its trials are trained; omitted: this machine. */
  on?: ExecutorName;
}

export interface StopOutcome {
  /** The state in the run folder afterwards. */
  state: 'stopped' | 'finished' | 'failed' | 'killed';
  /** Last saved step; undefined if nothing was saved. */
  savedStep?: number;
  /** A full sentence for the user: "Stopped; the adapter is saved at step 120." */
  message: string;
}

export interface ProgramResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ProgramOptions {
  onLine?: (line: string) => void;
  cwd?: string;
  /** The command reads nothing from the workspace, or only with our own parser, so it needs no trust. */
  untrusted?: boolean;
  /** In addition to the inherited environment. */
  env?: NodeJS.ProcessEnv;
  /** Milliseconds; 15 minutes by default. */
  timeout?: number;
}

/** A command that accepts input while it runs. */
export interface OpenProgram {
  ended: Promise<ProgramResult>;
  send(line: string): void;
  kill(why: string): void;
}

/**
 * Starts, stops and re-attaches trainers: detached, plain Node processes that write a run folder and take requests as
 * files (ARCHITECTURE: the run folder is the only truth). Every method that executes anything rejects with a clear
 * AuroraError in an untrusted workspace or if something is missing.
 */
export interface TrainerClient extends vscode.Disposable {
  /**
   * Creates a run folder, starts training in it and returns it. The trainer's output goes to its trainer.log.
   *
   * @param text the experiment's text, if not that of the file
   */
  start(experimentFile: string, overrides?: readonly string[], text?: string): Promise<string>;
  /**
   * Runs or continues the sweep of an experiment. Its queue is a process like a trainer, and `stop` ends it, too. On a
   * cluster that process also outlives the window, whatever the settings: it only follows.
   *
   * @param folder the sweep's folder, which need not exist
   */
  startSweep(experimentFile: string, folder: string, options?: SweepOptions): Promise<void>;
  /**
   * Takes trials of a sweep on a cluster out of its queue, or asks them to save and end. The process that follows the
   * sweep does it; if nobody does, this waits until it is done.
   */
  cancelTrials(experimentFile: string, trials: readonly number[] | 'all'): Promise<void>;
  /** The arguments of `aurora sweep` that describe the user's cluster. */
  clusterArguments(): string[];
  /** Continues a stopped or lost run. */
  resume(run: string, options?: ResumeOptions): Promise<void>;
  /** Starts a new run from another run's checkpoint, with settings changed ("training.learningRate=1e-4"). */
  fork(
    run: string,
    step: number,
    overrides: readonly string[],
    acceptChangedInputs?: boolean,
  ): Promise<string>;
  /**
   * Requests a stop, waits for the current step, then sends SIGTERM, then SIGKILL to the process tree. Resolves once no
   * process is left.
   */
  stop(run: string): Promise<StopOutcome>;
  /**
   * Runs a short `aurora` command. Its process ends on cancellation or with the window. `onLine` gets stdout line by
   * line.
   */
  program(
    args: readonly string[],
    options?: ProgramOptions & { token?: vscode.CancellationToken },
  ): Promise<ProgramResult>;
  /** Starts a command that keeps reading lines from its standard input. It ends with the window, or by `kill`. */
  open(args: readonly string[], options?: ProgramOptions): Promise<OpenProgram>;
  /** Runs that this window started, or re-attached to after a reload, and keeps alive, wherever they are. */
  ownRuns(): readonly string[];
  /** The Node that runs all programs. MissingError if there is none. */
  node(): Promise<NodeProgram>;
  /**
   * The report on training on this machine, for the Machine view and diagnostics. Executes nothing but `node
   * --version`.
   */
  machine(): Promise<MachineReport>;
}

export interface MachineReport {
  node?: NodeProgram;
  runtime?: { version: string; path: string };
  /** Bytes. */
  totalMemory: number;
  freeMemory: number;
  cores: number;
  /** The missing parts, each with its one next step. */
  problems: { message: string; hint: string }[];
}
