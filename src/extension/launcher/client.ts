import type { CancellationToken } from 'vscode';
import type { KnownError } from '../../base/errors';
import type { ExecutorName } from '../../experiment/cluster';
import type { NodeProgram } from './node-program';
import type { Trainer } from './trainer';

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

export interface ClaimOptions extends Pick<SweepOptions, 'takeOver' | 'on'> {
  /** Seconds of a run of each method, if they have been measured. */
  seconds?: readonly number[];
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
  /** The error that ended it, if it reported one. */
  error?: KnownError;
}

export interface ProgramOptions {
  onLine?: (line: string) => void;
  cwd?: string;
  /** The command reads nothing from the workspace, or only with our own parser, so it needs no trust. */
  untrusted?: boolean;
  /** In addition to the inherited environment. */
  env?: NodeJS.ProcessEnv;
  /** Milliseconds; 15 minutes by default, and none for a program that reads input. */
  timeout?: number;
}

export interface CancellableProgramOptions extends ProgramOptions {
  token?: CancellationToken;
}

/** A command that was started. */
export interface RunningProgram {
  /** Resolves when it ends, with any exit code. AuroraError if it could not be started, was canceled or timed out. */
  ended: Promise<ProgramResult>;
  /** Writes a line to its standard input. Does nothing if the program has ended or was started without input. */
  send(line: string): void;
  /**
   * Ends the program and everything it started.
   *
   * @param now without time to clean up, because nobody is left to wait for it
   */
  kill(why: string, now?: boolean): void;
}

/** The services of a window's trainer; see `Trainer`. */
export type TrainerClient = Pick<Trainer, keyof Trainer>;

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
