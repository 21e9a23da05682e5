/** The rows of the Experiments tree; its menus also pass them to commands. */
export type ExperimentNode = { kind: 'experiment'; file: string };
export type RunNode = { kind: 'run'; folder: string };
export type CheckpointNode = { kind: 'checkpoint'; folder: string; step: number };
export type AdapterNode = { kind: 'adapter'; folder: string; which: 'best' | 'last' };
/** `name` is a folder's name in the run's exports folder. */
export type ExportNode = { kind: 'export'; folder: string; name: string };
export type SweepNode = { kind: 'sweep'; folder: string };
/** A run that waits (`RunQueue`). */
export type QueuedNode = { kind: 'queued'; id: string };
/** Above all experiments: a run that ended with its window. */
export type InterruptedNode = { kind: 'interrupted'; folder: string };
/** Those that belong to a run have its folder. */
export type RunPartNode = RunNode | CheckpointNode | AdapterNode | ExportNode | InterruptedNode;
export type TreeNode = ExperimentNode | SweepNode | QueuedNode | RunPartNode;

export const isTreeNode = (value: unknown): value is TreeNode =>
  typeof value === 'object' &&
  value !== null &&
  ['experiment', 'sweep', 'queued', 'interrupted', 'run', 'checkpoint', 'adapter', 'export'].includes(
    (value as { kind?: unknown }).kind as string,
  );

/** The run folder that a row represents or belongs to. */
export const runFolderOf = (value: unknown): string | undefined =>
  isTreeNode(value) && value.kind !== 'experiment' && value.kind !== 'sweep' && value.kind !== 'queued'
    ? value.folder
    : undefined;
