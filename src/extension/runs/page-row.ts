import type { RunNode } from './nodes';

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
