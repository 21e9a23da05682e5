import { isTreeNode, nodeId, type TreeNode } from './nodes';

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
