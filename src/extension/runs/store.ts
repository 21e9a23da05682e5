import type * as vscode from 'vscode';
import type { RunSummary } from '../../runs/read';
import type { SweepRecord, TrialOf } from '../../runs/sweep/record';
import type { RunUser } from '../../runs/user';
import type { AuroraError } from '../../base/errors';

/** What a person sees of a run's state: `lost` says it is running but nobody is alive to do it. */
export type ShownState = 'starting' | 'running' | 'finished' | 'stopped' | 'failed' | 'lost' | 'damaged';

export interface RunEntry {
  /** Absolute path; the run's identity. */
  folder: string;
  id: string;
  /** The experiment file's path, whether or not it still exists. */
  experiment: string;
  state: ShownState;
  /** Undefined where the run is damaged, or failed before its experiment was read; `error` says why. */
  run?: RunSummary;
  error?: AuroraError;
  user: RunUser;
  /** Which trial of which sweep it is. */
  trial?: TrialOf;
}

/** A sweep that has been begun; its trials are runs. */
export interface SweepEntry {
  /** Absolute path; the sweep's identity. */
  folder: string;
  experiment: string;
  /** That of its queue. */
  state: Extract<ShownState, 'running' | 'finished' | 'stopped' | 'failed' | 'lost'>;
  record: SweepRecord;
}

export interface ExperimentEntry {
  /** Absolute path of the *.aurora.json. */
  file: string;
  /** False where only runs are left of it. */
  exists: boolean;
  /** The name in the tree: the file's name without .aurora.json. */
  name: string;
  workspaceFolder: vscode.WorkspaceFolder;
  /** Newest first. */
  runs: RunEntry[];
  /** Newest first. */
  sweeps: SweepEntry[];
  /** Whether its file has a section `sweep`. */
  hasSweep: boolean;
}

/**
 * The experiments and runs of the workspace's folders. Reads lazily and asynchronously (nothing before the
 * first `experiments()`), caches each run by size and time of its files, and looks again by itself: every
 * 250 ms at running runs that somebody watches, every 2 s at the folders of known experiments while the
 * window is focused. File events fail on network file systems; sizes do not.
 */
export interface RunStore extends vscode.Disposable {
  /** What is known; the first call starts the first look, and resolves after it. */
  experiments(): Promise<ExperimentEntry[]>;
  /** Every run that is known: also one in no open folder, as the demo's is where none is open. */
  runs(): Promise<RunEntry[]>;
  /** As far as known, without waiting. */
  run(folder: string): RunEntry | undefined;
  /** Looks at one run now, wherever it lies; for a run that was just made. */
  refreshRun(folder: string): Promise<RunEntry>;
  /** Looks at everything again. */
  refresh(): Promise<void>;
  /** Runs that changed since the last event; undefined when experiments or runs came or went. */
  readonly onDidChange: vscode.Event<readonly RunEntry[] | undefined>;
}
