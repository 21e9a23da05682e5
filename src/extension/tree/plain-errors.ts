import type * as vscode from 'vscode';
import { plainMessage } from '../messages/plain-message';

/** A tree with errors that cannot contain a link: VS Code shows them in notifications. */
export const withPlainErrors = <N>(tree: vscode.TreeDataProvider<N>): vscode.TreeDataProvider<N> => ({
  onDidChangeTreeData: tree.onDidChangeTreeData,
  getChildren: (node) => plainly(() => tree.getChildren(node)),
  getTreeItem: (node) => plainly(() => tree.getTreeItem(node)),
  ...(tree.getParent && { getParent: (node) => plainly(() => tree.getParent!(node)) }),
  ...(tree.resolveTreeItem && {
    resolveTreeItem: (item, node, token) => plainly(() => tree.resolveTreeItem!(item, node, token)),
  }),
});

async function plainly<T>(action: () => T): Promise<Awaited<T>> {
  try {
    return await action();
  } catch (e) {
    throw e instanceof Error ? Object.assign(e, { message: plainMessage(e.message) }) : e;
  }
}
