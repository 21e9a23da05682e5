import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { registerGuarded } from '../ask/guard';
import { COMMAND, INTERNAL } from '../ids';
import type { Contributes } from '../manifest/declared';
import { type ExperimentNode, type MoreNode, nodeId, rememberSelection, runFolderOf } from '../runs/nodes';
import type { Services } from '../services';
import { ExperimentsTree } from './experiments';
import { Folding } from './folding';
import { NO_FOLDER, withPlainErrors } from './items';
import { ViewOptions } from './view-options';

export const contributes: Contributes = {
  commands: {
    dismissInterrupted: {
      title: 'Dismiss',
      icon: 'close',
      palette: false,
      menus: [
        { at: 'row', can: 'canDismiss', group: 'inline@3' },
        { at: 'row', can: 'canDismiss', group: '3_edit@9' },
      ],
    },
  },
  view: {
    id: 'experiments',
    name: 'Experiments',
    place: 1,
    welcome: {
      noFolder: { when: 'workspaceFolderCount == 0', text: NO_FOLDER },
      untrusted: {
        when: 'workspaceFolderCount != 0 && !isWorkspaceTrusted && aurora.loaded && !aurora.hasExperiments',
        text: 'This folder has no experiments. In Restricted Mode you can view files and calculate budgets; training requires a trusted workspace.\n[Manage Workspace Trust](command:workbench.trust.manage)\n[Open Budget Calculator](command:aurora.openBudget)',
      },
      noExperiments: {
        when: 'workspaceFolderCount != 0 && isWorkspaceTrusted && aurora.loaded && !aurora.hasExperiments',
        text: 'No experiments in this folder yet.\n[Get Model](command:aurora.getModel)\n[New Experiment](command:aurora.newExperiment)\n[Run the Demo](command:aurora.runDemo)\nNew here? [Get started](command:aurora.getStarted).',
      },
      filtered: {
        when: 'aurora.hasExperiments && aurora.filtered',
        text: 'No runs match the filter.\n[Clear Filter](command:aurora.clearFilter)',
      },
    },
  },
};

const VIEW = 'aurora.experiments';

/** Update interval of "3 min ago". */
const CLOCK_MS = 30_000;

export function registerExperimentsTree(services: Services): vscode.Disposable {
  const { context, log } = services;
  const options = new ViewOptions(context.workspaceState, log);
  const folding = new Folding(context.workspaceState);
  const tree = new ExperimentsTree(services, options, folding);
  const view = vscode.window.createTreeView(VIEW, {
    treeDataProvider: withPlainErrors(tree),
    canSelectMany: true,
    showCollapseAll: true,
  });
  tree.onDidArrange(({ message, running }) => {
    view.message = message;
    view.badge = running > 0 ? { value: running, tooltip: runningText(running) } : undefined;
  });
  rememberSelection(() => view.selection);
  const folded = [
    view.onDidExpandElement(({ element }) => folding.set(nodeId(element), true)),
    view.onDidCollapseElement(({ element }) => folding.set(nodeId(element), false)),
    registerGuarded(log, INTERNAL.showMoreRuns, async (node) => {
      const first = tree.showMore(node as MoreNode);
      // The focus would follow the row, which is below hundreds of others now.
      if (first) await view.reveal(first, { select: false, focus: true });
    }),
    registerGuarded(log, INTERNAL.bringCheckpoints, async (run) => {
      const { bringCheckpoints } = await import('../cluster/cluster-trial');
      await bringCheckpoints(services, run as string);
    }),
    registerGuarded(log, COMMAND.dismissInterrupted, (node) => tree.dismiss(runFolderOf(node))),
  ];
  const shown = registerGuarded(log, INTERNAL.showExperiment, async (file) => {
    await vscode.commands.executeCommand(`${VIEW}.focus`);
    const node = await tree.experiment(file as string);
    if (node) await view.reveal(node, { select: true, focus: true, expand: true });
  });
  // Revealing a row in a hidden view would open that view.
  const waiting = new Set<ExperimentNode>();
  const expand = () => {
    if (!view.visible) return;
    for (const node of waiting)
      view.reveal(node, { select: false, focus: false, expand: true }).then(undefined, () => undefined);
    waiting.clear();
  };
  tree.onDidBegin((nodes) => {
    for (const node of nodes) waiting.add(node);
    expand();
  });
  view.onDidChangeVisibility(expand);
  const clock = setInterval(() => view.visible && tree.refreshChanged(), CLOCK_MS);
  return vscode.Disposable.from(view, tree, options, shown, ...folded, {
    dispose: () => clearInterval(clock),
  });
}

const runningText = (n: number): string => (n === 1 ? t('1 run is training') : t('{0} runs are training', n));
