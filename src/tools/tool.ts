import { AuroraError } from '../base/errors';
import type { ProgramResult } from '../executors/local/program';
import type { StopOutcome } from '../executors/local/stop';
import type { ShownState } from '../runs/outcome';
import type { RunSummary } from '../runs/run-summary';
import type { TrialOf } from '../runs/sweep/record';
import type { RunProblem } from './run-problem';

/** The input that a language model passed to a tool. Nobody has checked it against the tool's schema. */
export type ToolInput = Readonly<Record<string, unknown>>;

/** A tool of src/protocol/tools. */
export interface Tool {
  /** Checks the input. Starts nothing. */
  prepare(host: ToolHost, input: ToolInput): Promise<PreparedTool>;
}

export interface PreparedTool {
  /** The work in the present tense, shown while it takes place: "Following the newest run". */
  doing: string;
  /** Set if a person must agree before `answer` is called. Starts nothing but `aurora inspect`. */
  question?: () => Promise<Confirmation>;
  /** The text that the question is about: a person agrees to it, and to no later one. */
  subject?: string;
  /** @returns facts, or a text; throws AuroraError with the next step */
  answer(): Promise<object | string>;
}

/** The question to a person before a tool starts, changes or stops anything. */
export interface Confirmation {
  title: string;
  /** Paragraphs in the host's markup, in which names from files are escaped. */
  message: string;
  /** The button or the field with which the person agrees: "Train". */
  agree: string;
}

/** A run as a front end knows it. */
export interface ToolRun {
  /** Absolute path. */
  folder: string;
  id: string;
  /** The experiment file's path, whether or not it still exists. */
  experiment: string;
  /** Its display name. */
  label: string;
  state: ShownState;
  /** Undefined if the run is damaged, or failed before its experiment was read. */
  run?: RunSummary;
  trial?: TrialOf;
  /** True if a cluster trains it. */
  isOnCluster?: boolean;
  /** The reason why it did not finish, and the next step; undefined if nothing went wrong. */
  problem(): RunProblem | undefined;
}

/** The services of a front end during one call: VS Code's chat, or the server of `aurora mcp`. */
export interface ToolHost {
  /** The folders of the workspace, absolute: nothing else is read (`workspace.ts`). */
  readonly folders: readonly string[];
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Reports the present work; `done` and `total` where they are known. */
  progress(message: string, done?: number, total?: number): void;
  /** A path as the workspace names it. */
  shown(path: string): string;
  /** A program's hint in the words of the front end: programs write for a terminal. */
  hint(text: string): string;
  /** The markup of a confirmation: for a file's name, and for other words from a file. */
  readonly markup: Markup;
  /** The text of a file, also as it was not saved yet. */
  text(file: string): Promise<string>;
  /** Saves a file: a program reads it from disk. */
  save(file: string): Promise<void>;
  /** All runs of the workspace. */
  runs(): Promise<ToolRun[]>;
  /** Reads a run again. */
  refresh(folder: string): Promise<ToolRun>;
  /**
   * Runs an `aurora` command until it ends, with any exit code, however long it takes; aborting the call ends it.
   *
   * @param onLine gets its standard output line by line
   */
  program(args: readonly string[], onLine?: (line: string) => void): Promise<ProgramResult>;
  /** The options of a command that select threads, engine and device. */
  place(): string[];
  /**
   * Starts a run of an experiment with settings changed ("training.epochs=1"), and returns its folder.
   *
   * @param text the file's, which the person agreed to
   */
  start(file: string, overrides: readonly string[], text: string): Promise<string>;
  /** Starts a run from a run's checkpoint, and returns its folder. */
  fork(run: string, step: number, overrides: readonly string[]): Promise<string>;
  /**
   * Starts or continues the sweep of an experiment in its folder.
   *
   * @param text the file's, which the person agreed to
   */
  startSweep(file: string, folder: string, text: string): Promise<void>;
  /** Asks the process that works in the folder of a run or a sweep to save and end, and waits for it. */
  stop(folder: string): Promise<StopOutcome>;
}

export interface Markup {
  file: (name: string) => string;
  words: (text: string) => string;
}

/** @throws AuroraError 'stopped' if nobody waits for the answer any more */
export function requireWanted({ signal }: Pick<ToolHost, 'signal'>): void {
  if (signal.aborted) throw new AuroraError('stopped', 'The call was canceled.');
}
