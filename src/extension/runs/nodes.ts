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
export type ClaimNode = { kind: 'claim'; folder: string };
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
export type TreeNode = ExperimentNode | ClaimNode | SweepPartNode | QueuedNode | RunPartNode | MoreNode;

const KINDS: readonly TreeNode['kind'][] = [
  'experiment',
  'claim',
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
const isSweepPart = (node: TreeNode): node is SweepPartNode =>
  node.kind === 'sweep' || node.kind === 'trials' || node.kind === 'trial';

/** The run folder that a row represents or belongs to. */
export const runFolderOf = (value: unknown): string | undefined =>
  isTreeNode(value) && isRunPart(value) ? value.folder : undefined;

const isRunPart = (node: TreeNode): node is RunPartNode =>
  node.kind !== 'experiment' &&
  node.kind !== 'claim' &&
  node.kind !== 'queued' &&
  node.kind !== 'more' &&
  !isSweepPart(node);

/** A row’s key, unchanged as long as the row stands for the same. */
export function nodeId(node: TreeNode): string {
  switch (node.kind) {
    case 'experiment':
      return `experiment:${node.file}`;
    case 'claim':
      return `claim:${node.folder}`;
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

let selection: () => readonly TreeNode[] = () => [];

/** Registered by the Experiments view to return its selected rows, since a key binding passes none to its command. */
export function rememberSelection(ask: () => readonly TreeNode[]): void {
  selection = ask;
}

export const selectedRows = (): readonly TreeNode[] => selection();

/** The argument that a key binding passes instead of a row. */
export const FROM_SELECTION = 'selection';

/**
 * The rows, or run folders, that a command acts on: the row that it was called on, or all selected rows if that row is one
 * of them.
 *
 * @param args as VS Code passes them: the row (`FROM_SELECTION` from a key binding, or a list of run folders) and the
 *   selected rows
 */
export function rowsFor([argument, selected]: readonly unknown[]): readonly unknown[] {
  if (argument === FROM_SELECTION) return selectedRows();
  if (Array.isArray(argument)) return argument;
  if (argument === undefined) return [];
  if (!Array.isArray(selected) || !isTreeNode(argument)) return [argument];
  const id = nodeId(argument);
  const isSelected = selected.some((row) => isTreeNode(row) && nodeId(row) === id);
  return isSelected ? selected : [argument];
}

/**
 * The argument of a command in the menu of a run's row on a page: VS Code passes the row of the tree, and the selection
 * there.
 */
interface PageRow extends RunNode {
  /** True if it is one of several selected rows. */
  auroraSeveral?: boolean;
  /** The folders of all of them; from the element around the rows. */
  auroraSelected?: unknown;
}

/**
 * A command's arguments with the page's other selected rows in second place, as VS Code passes those of a tree: only if the
 * row that was clicked is one of them.
 */
export function withPageSelection(args: readonly unknown[]): unknown[] {
  const { kind, folder, auroraSeveral, auroraSelected } = (args[0] ?? {}) as Partial<PageRow>;
  if (kind !== 'run' || auroraSeveral !== true || !Array.isArray(auroraSelected)) return [...args];
  const folders = auroraSelected.filter((selected) => typeof selected === 'string');
  if (folder === undefined || !folders.includes(folder)) return [...args];
  return [args[0], folders.map((selected): RunNode => ({ kind: 'run', folder: selected })), ...args.slice(2)];
}
