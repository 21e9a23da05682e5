import type * as vscode from 'vscode';

export interface ResumeOptions {
  /** From a process of another machine that is known to have ended. */
  takeOver?: boolean;
  /** With a model, tokenizer or data that have changed since. */
  acceptChangedInputs?: boolean;
}

export interface StopOutcome {
  /** What the run folder says afterwards. */
  state: 'stopped' | 'finished' | 'failed' | 'killed';
  /** Last step that is saved; undefined where nothing is. */
  savedStep?: number;
  /** A whole sentence for people: "Stopped; the adapter is saved at step 120." */
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
  /** The command reads nothing of the workspace, or only by our own parser: it needs no trust. */
  untrusted?: boolean;
  /** Beside what a trainer inherits. */
  env?: NodeJS.ProcessEnv;
  /** Milliseconds; a quarter of an hour by default. */
  timeout?: number;
}

/** A command that is told things while it runs. */
export interface OpenProgram {
  ended: Promise<ProgramResult>;
  send(line: string): void;
  kill(why: string): void;
}

/**
 * Starts, stops and re-attaches trainers: detached, plain Node processes that write a run folder and take
 * requests as files (ARCHITECTURE: the run folder is the only truth). Every method that executes anything
 * rejects with a clear AuroraError in an untrusted workspace or where a piece is missing.
 */
export interface TrainerClient extends vscode.Disposable {
  /** Makes a run folder, starts training in it and returns it; the trainer's words go to its trainer.log. */
  start(experimentFile: string, overrides?: readonly string[]): Promise<string>;
  /**
   * Runs the sweep of an experiment, or goes on with it: its queue is a process as trainers are, and `stop` ends it, too.
   *
   * @param folder the sweep's, which need not be there
   */
  startSweep(experimentFile: string, folder: string, options?: ResumeOptions): Promise<void>;
  /** Goes on with a run that was stopped or lost. */
  resume(run: string, options?: ResumeOptions): Promise<void>;
  /** A new run that begins at a checkpoint of another, with settings changed ("training.learningRate=1e-4"). */
  fork(
    run: string,
    step: number,
    overrides: readonly string[],
    acceptChangedInputs?: boolean,
  ): Promise<string>;
  /** Asks, waits for the step in hand, then SIGTERM, then SIGKILL on the tree; resolves when nothing is left of it. */
  stop(run: string): Promise<StopOutcome>;
  /** A short command of the `aurora` program; its process dies with the token or the window. `onLine` gets stdout line by line. */
  program(
    args: readonly string[],
    options?: ProgramOptions & { token?: vscode.CancellationToken },
  ): Promise<ProgramResult>;
  /** A command that goes on and reads lines from its standard input; it dies with the window, or by `kill`. */
  open(args: readonly string[], options?: ProgramOptions): Promise<OpenProgram>;
  /** Runs that this window started, or took up again after a reload, and keeps alive; wherever they lie. */
  ownRuns(): readonly string[];
  /** What can train here; for the Machine view and diagnostics. Executes nothing but `node --version`. */
  machine(): Promise<MachineReport>;
}

export interface MachineReport {
  node?: { path: string; version: string; from: 'setting' | 'extension' | 'editor' };
  runtime?: { version: string; path: string };
  /** Bytes. */
  totalMemory: number;
  freeMemory: number;
  cores: number;
  /** What is missing, each with its one next step. */
  problems: { message: string; hint: string }[];
}
