import type { TreeNode } from './nodes';

let selection: () => readonly TreeNode[] = () => [];

/** Registered by the Experiments view to return its selected rows, since a key binding passes none to its command. */
export function rememberSelection(ask: () => readonly TreeNode[]): void {
  selection = ask;
}

export const selectedRows = (): readonly TreeNode[] => selection();
