import type { ClusterTrialState } from '../../protocol/run-files/cluster';

/** The rows of the Experiments tree; its menus also pass them to commands. */
export type ExperimentNode = { kind: 'experiment'; file: string };
export type RunNode = { kind: 'run'; folder: string };
export type CheckpointNode = { kind: 'checkpoint'; folder: string; step: number };
/** Stands for those of a trial that stayed on the cluster that trained it. */
export type CheckpointsThereNode = { kind: 'checkpointsThere'; folder: string };
export type AdapterNode = { kind: 'adapter'; folder: string; which: 'best' | 'last' };
/** `name` is a folder's name in the run's exports folder. */
export type ExportNode = { kind: 'export'; folder: string; name: string };
export type SweepNode = { kind: 'sweep'; folder: string };
/** The trials of a sweep (`folder`) on a cluster that are in this state there and have no run yet. */
export type TrialsNode = { kind: 'trials'; folder: string; state: ClusterTrialState };
/** A trial of a sweep. `trial` is its id in the sweep. */
export type TrialNode = { kind: 'trial'; folder: string; trial: string };
/** A run that waits (`RunQueue`). */
export type QueuedNode = { kind: 'queued'; id: string };
/** Above all experiments: a run that ended with its window. */
export type InterruptedNode = { kind: 'interrupted'; folder: string };
/** Stands for the runs below an experiment or a sweep that are not shown yet. */
export type MoreNode = { kind: 'more'; below: ExperimentNode | SweepNode };
/** Rows that belong to a run have its folder. */
export type RunPartNode =
  RunNode | CheckpointNode | CheckpointsThereNode | AdapterNode | ExportNode | InterruptedNode;
export type SweepPartNode = SweepNode | TrialsNode | TrialNode;
export type TreeNode = ExperimentNode | SweepPartNode | QueuedNode | RunPartNode | MoreNode;

const KINDS: readonly TreeNode['kind'][] = [
  'experiment',
  'sweep',
  'trials',
  'trial',
  'queued',
  'interrupted',
  'run',
  'checkpoint',
  'checkpointsThere',
  'adapter',
  'export',
  'more',
];

export const isTreeNode = (value: unknown): value is TreeNode =>
  typeof value === 'object' &&
  value !== null &&
  KINDS.includes((value as { kind?: unknown }).kind as TreeNode['kind']);

/** A row below an experiment that is not about a run. */
export const isSweepPart = (node: TreeNode): node is SweepPartNode =>
  node.kind === 'sweep' || node.kind === 'trials' || node.kind === 'trial';

/** The run folder that a row represents or belongs to. */
export const runFolderOf = (value: unknown): string | undefined =>
  isTreeNode(value) && isRunPart(value) ? value.folder : undefined;

const isRunPart = (node: TreeNode): node is RunPartNode =>
  node.kind !== 'experiment' && node.kind !== 'queued' && node.kind !== 'more' && !isSweepPart(node);

/** A row’s key, unchanged as long as the row stands for the same. */
export function nodeId(node: TreeNode): string {
  switch (node.kind) {
    case 'experiment':
      return `experiment:${node.file}`;
    case 'sweep':
      return `sweep:${node.folder}`;
    case 'trials':
      return `trials:${node.folder}:${node.state}`;
    case 'trial':
      return `trial:${node.folder}:${node.trial}`;
    case 'queued':
      return `queued:${node.id}`;
    case 'interrupted':
      return `interrupted:${node.folder}`;
    case 'run':
      return `run:${node.folder}`;
    case 'checkpoint':
      return `checkpoint:${node.folder}:${node.step}`;
    case 'checkpointsThere':
      return `checkpointsThere:${node.folder}`;
    case 'adapter':
      return `adapter:${node.folder}:${node.which}`;
    case 'export':
      return `export:${node.folder}:${node.name}`;
    case 'more':
      return `more:${nodeId(node.below)}`;
  }
}
