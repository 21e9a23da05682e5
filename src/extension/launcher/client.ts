import type { CancellationToken } from 'vscode';
import type { ExecutorName } from '../../experiment/cluster';
import type { NodeProgram } from './node-program';
import type { Trainer } from './trainer';

export type { ProgramResult, RunningProgram } from '../../executors/local/program';
export type { StopOutcome } from '../../executors/local/stop';

export interface ResumeOptions {
  /** From a process on another machine that is known to have ended. */
  takeOver?: boolean;
  /** With a model, tokenizer or data that have changed since. */
  acceptChangedInputs?: boolean;
}

export interface SweepOptions extends ResumeOptions {
  /** The place where its trials are trained; omitted: this machine. */
  on?: ExecutorName;
  /** The experiment's text that was agreed to: nothing starts if the file has another one. */
  text?: string;
}

export interface ClaimOptions extends Pick<SweepOptions, 'takeOver' | 'on'> {
  /** Seconds of a run of each method, if they have been measured. */
  seconds?: readonly number[];
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
