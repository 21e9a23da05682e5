import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { COMMAND, FROM_ROW, INTERNAL } from '../ids';
import { plainMessage } from '../messages/plain-message';
import type { QueuedRun } from '../queue/run-queue';
import { nodeId, type TreeNode } from '../runs/nodes';
import type { RunDetails } from '../words/run-details';
import type { Row } from '../words/run-row';

/** A row's key, unchanged as long as the row looks the same: rows are refreshed only when it changes. */
export function treeItem(
  node: TreeNode,
  row: Row,
  children: vscode.TreeItemCollapsibleState,
): vscode.TreeItem {
  const label = row.lead === undefined ? row.label : `${row.lead} · ${row.label}`;
  const item = new vscode.TreeItem(label, children);
  item.id = nodeId(node);
  item.description = row.description;
  item.iconPath = new vscode.ThemeIcon(
    row.icon.id,
    row.icon.color ? new vscode.ThemeColor(row.icon.color) : undefined,
  );
  item.contextValue = row.capabilities.join(' ');
  item.accessibilityInformation = { label: row.spoken };
  // A damaged run has it too: its dashboard shows the error to those who do not hover.
  if (node.kind === 'run')
    item.command = {
      command: COMMAND.openRun,
      title: t('Open Run Dashboard'),
      arguments: [node, FROM_ROW],
    };
  if (node.kind === 'sweep')
    item.command = {
      command: COMMAND.openSweep,
      title: t('Open Sweep'),
      arguments: [node, FROM_ROW],
    };
  if (node.kind === 'claim')
    item.command = {
      command: COMMAND.openClaim,
      title: t('Open Claim'),
      arguments: [node, FROM_ROW],
    };
  if (node.kind === 'interrupted' && row.capabilities.includes('canResume'))
    item.command = {
      command: COMMAND.resumeRun,
      title: t('Resume Run'),
      arguments: [node],
    };
  if (node.kind === 'more')
    item.command = { command: INTERNAL.showMoreRuns, title: row.label, arguments: [node] };
  if (node.kind === 'checkpointsThere')
    item.command = { command: INTERNAL.bringCheckpoints, title: row.label, arguments: [node.folder] };
  if (node.kind === 'export')
    item.command = {
      command: COMMAND.openCard,
      title: t('Open Model Card'),
      arguments: [node],
    };
  return item;
}

/** Names, notes and messages are appended as text, so that they are not read as Markdown. */
export function tooltip({ title, note, tags, error, facts, folder }: RunDetails): vscode.MarkdownString {
  const md = new vscode.MarkdownString('', true);
  const paragraph = (before: string, text: string, after: string) => {
    md.appendMarkdown(`${before}${escaped(text)}${after}\n\n`);
  };
  paragraph('**', title, '**');
  if (error) paragraph('$(error) ', error.message, '');
  if (error?.hint) paragraph('$(lightbulb) ', error.hint, '');
  if (note) paragraph('', note, '');
  if (tags) paragraph('$(tag) ', tags.join(', '), '');
  facts.forEach(([name, value], i) => {
    md.appendMarkdown(`${i > 0 ? '  \n' : ''}${escaped(`${name}: ${value}`)}`);
  });
  md.appendMarkdown('\n\n');
  paragraph('', folder, '');
  return md;
}

/** The work of a queued run or sweep. */
export function queuedTooltip(item: QueuedRun): string {
  const when = new Date(item.at).toLocaleString(vscode.env.language);
  return `${queuedWords(item, when)}\n${item.kind === 'resume' || item.kind === 'fork' ? item.run : item.file}`;
}

function queuedWords(item: QueuedRun, when: string): string {
  switch (item.kind) {
    case 'run':
      return t('Trains the settings as they were when it was queued ({0}).', when);
    case 'resume':
      return t('Continues the run where it ended. Queued {0}.', when);
    case 'fork':
      return item.overrides.length === 0
        ? t('Forks the run without changes. Queued {0}.', when)
        : t('Forks the run with {0}. Queued {1}.', item.overrides.join(', '), when);
    case 'claim':
      return t('Tests the claim if its file is unchanged then. Queued {0}.', when);
    case 'sweep':
      return t('Runs the sweep with the settings that its file has then. Queued {0}.', when);
  }
}

/** Escaped as VS Code does, but with spaces that allow line breaks: it writes only non-breaking ones. */
const escaped = (text: string): string =>
  new vscode.MarkdownString('', true)
    .appendText(text.trim())
    .value.replace(/(?<!&nbsp;)&nbsp;(?!&nbsp;)/g, ' ');

/** The message of views that need a folder. */
export const NO_FOLDER =
  'Open a folder for your experiments, or try the demo first.\n[Open Folder](command:vscode.openFolder)\n[Run the Demo](command:aurora.runDemo)\nNew here? [Get started](command:aurora.getStarted).';

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
