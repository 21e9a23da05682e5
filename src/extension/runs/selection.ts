import type { TreeNode } from './nodes';

let selection: () => readonly TreeNode[] = () => [];

/** The Experiments view says how to ask for its selected rows: a key press hands its command none. */
export function rememberSelection(ask: () => readonly TreeNode[]): void {
  selection = ask;
}

export const selectedRows = (): readonly TreeNode[] => selection();
