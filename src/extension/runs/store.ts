import type * as vscode from 'vscode';
import type { UnexpectedEnd } from '../../protocol/run-files/unexpected-end';
import type { ClusterFile, ClusterTrial } from '../../protocol/run-files/cluster';
import type { RunSummary } from '../../runs/run-summary';
import type { ShownState } from '../../runs/outcome';
import type { SweepRecord, TrialOf } from '../../runs/sweep/record';
import type { Certificate, FrozenClaim } from '../../study/claim/certificate';
import type { ClaimProgress } from '../../study/claim/claim-files';
import type { RunUser } from '../../runs/user';
import type { AuroraError } from '../../base/errors';

export type { ShownState };

export interface RunEntry {
  /** Absolute path; the run's identity. */
  folder: string;
  id: string;
  /** The experiment file's path, whether or not it still exists. */
  experiment: string;
  state: ShownState;
  /** Undefined if the run is damaged, or failed before its experiment was read; `error` has the reason. */
  run?: RunSummary;
  error?: AuroraError;
  /** The known facts about the reason, for `lost`. */
  end?: UnexpectedEnd;
  user: RunUser;
  /** Its number in the experiment, once it is known. */
  number?: number;
  /**
   * The name from the settings in which it differs from the experiment's other runs (`distinctNames`), once they are
   * known.
   */
  name?: string;
  /** The sweep and trial that it belongs to. */
  trial?: TrialOf;
  /** The last state by the scheduler of the cluster that trains it. */
  cluster?: OnCluster;
}

export interface OnCluster extends ClusterTrial, Pick<ClusterFile, 'executor' | 'keepsCheckpoints'> {}

/** A sweep that was started; its trials are runs. */
export interface SweepEntry {
  /** Absolute path; the sweep's identity. */
  folder: string;
  experiment: string;
  /** The state of its queue. */
  state: Extract<ShownState, 'running' | 'finished' | 'stopped' | 'failed' | 'lost'>;
  /** The known facts about the reason, for `lost`. */
  end?: UnexpectedEnd;
  record: SweepRecord;
  /** The numbers of its trials' runs by trial id, as far as they have any. */
  numbers?: ReadonlyMap<string, number>;
  /** The scheduler's last states, if it runs on a cluster. */
  cluster?: ClusterFile;
}

/** A claim that is frozen; its trials are those of two sweeps (claimSweepFolder). */
export interface ClaimEntry {
  /** Absolute path; the claim's identity. */
  folder: string;
  experiment: string;
  /** `closed`: it has a certificate. `damaged`: `problem` has the reason. */
  state: Extract<ShownState, 'running' | 'stopped' | 'failed' | 'lost' | 'damaged'> | 'closed';
  /** Undefined if it is damaged. */
  frozen?: FrozenClaim;
  progress?: ClaimProgress;
  certificate?: Certificate;
  /** A file that cannot be read, in a full sentence. */
  problem?: string;
}

export interface ExperimentEntry {
  /** Absolute path of the *.aurora.json. */
  file: string;
  /** False if only its runs are left. */
  exists: boolean;
  /** The name in the tree: the file's name without .aurora.json. */
  name: string;
  /** Undefined for a demo outside the open folders. */
  workspaceFolder?: vscode.WorkspaceFolder;
  /** Newest first. */
  runs: RunEntry[];
  /** Newest first. */
  sweeps: SweepEntry[];
  /** Newest first. */
  claims: ClaimEntry[];
  /** True if its file has a `sweep` section. */
  hasSweep: boolean;
  /** True if its file has a `claim` section. */
  hasClaim: boolean;
}

/**
 * The experiments and runs of the workspace's folders. Reads lazily and asynchronously (nothing before the first
 * `experiments()`), caches each run by size and modification time of its files, and polls: running runs that are
 * visible every 250 ms, the folders of known experiments every 2 s while the window is focused. File events are
 * unreliable on network file systems; sizes are not.
 */
export interface RunStore extends vscode.Disposable {
  /** All known experiments; the first call starts the first scan, and resolves after it. */
  experiments(): Promise<ExperimentEntry[]>;
  /**
   * The experiments directly in the workspace's folders, where most are, as soon as those have been read. The search
   * through their subfolders takes longer, above all while a window opens. If there is nothing, like `experiments()`.
   */
  firstExperiments(): Promise<ExperimentEntry[]>;
  /** Every known run, including those outside the open folders, such as the demo's when no folder is open. */
  runs(): Promise<RunEntry[]>;
  /** The run as far as known, without waiting. */
  run(folder: string): RunEntry | undefined;
  /** The runs of the workspace that have been read so far, without waiting. */
  known(): RunEntry[];
  /** Fires several times while the first scan reads runs. */
  readonly onDidRead: vscode.Event<void>;
  /** Reads one run now, wherever it is; for a run that was just created. */
  refreshRun(folder: string): Promise<RunEntry>;
  /** Scans everything again. */
  refresh(): Promise<void>;
  /** Runs that changed since the last event; undefined when experiments or runs appeared or disappeared. */
  readonly onDidChange: vscode.Event<readonly RunEntry[] | undefined>;
}
