/** The rows of the Experiments tree; also what its menus hand to commands. */
export type ExperimentNode = { kind: 'experiment'; file: string };
export type RunNode = { kind: 'run'; folder: string };
export type CheckpointNode = { kind: 'checkpoint'; folder: string; step: number };
export type AdapterNode = { kind: 'adapter'; folder: string; which: 'best' | 'last' };
/** `name` is that of a folder under the run's export. */
export type ExportNode = { kind: 'export'; folder: string; name: string };
export type SweepNode = { kind: 'sweep'; folder: string };
export type TreeNode = ExperimentNode | SweepNode | RunNode | CheckpointNode | AdapterNode | ExportNode;

export const isTreeNode = (value: unknown): value is TreeNode =>
  typeof value === 'object' &&
  value !== null &&
  ['experiment', 'sweep', 'run', 'checkpoint', 'adapter', 'export'].includes(
    (value as { kind?: unknown }).kind as string,
  );

/** The folder of the run that a row is of, or is below. */
export const runFolderOf = (value: unknown): string | undefined =>
  isTreeNode(value) && value.kind !== 'experiment' && value.kind !== 'sweep' ? value.folder : undefined;
