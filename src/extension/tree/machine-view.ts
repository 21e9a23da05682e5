import * as vscode from 'vscode';
import { CONTEXT } from '../ids';
import type { MachineReport } from '../launcher/client';
import { lastCheck } from '../machine/check-machine';
import type { Contributes } from '../manifest/declared';
import type { RunNode } from '../runs/nodes';
import { isActiveHere } from '../runs/shown-state';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { rowContext } from '../words/row-context';
import { runDetails } from '../words/run-details';
import { runRow } from '../words/run-row';
import { tooltip, treeItem, withPlainErrors } from './items';
import { type MachineRow, machineRows } from './machine-rows';

export const contributes: Contributes = {
  view: {
    id: 'machine',
    name: 'Machine',
    place: 3,
    collapsed: true,
    welcome: {
      unknown: {
        when: '!aurora.machineKnown',
        text: 'The devices of this machine have not been detected yet.\n[Detect Now](command:aurora.refresh)',
      },
    },
  },
};

/** The interval in which memory is read while the view is open. */
const REFRESH_MS = 5000;

/** The view of running work, the machine, and missing parts. Polls only while the view is visible. */
export function registerMachineView(services: Services): vscode.Disposable {
  const tree = new MachineTree(services);
  const view = vscode.window.createTreeView('aurora.machine', {
    treeDataProvider: withPlainErrors<MachineNode>(tree),
  });
  const timer = setInterval(() => view.visible && void tree.look(), REFRESH_MS);
  return vscode.Disposable.from(
    view,
    tree,
    services.store.onDidChange((runs) => view.visible && void tree.runsChanged(runs)),
    view.onDidChangeVisibility(({ visible }) => visible && void tree.look()),
    services.machineChecked.event(() => void tree.look()),
    { dispose: () => clearInterval(timer) },
  );
}

type MachineNode = RunNode | MachineRow;

class MachineTree implements vscode.TreeDataProvider<MachineNode>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<MachineNode[] | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private rows = new Map<string, MachineRow>();
  private readonly running = new Map<string, RunNode>();
  private looking: Promise<MachineReport> | undefined;

  constructor(private readonly services: Services) {}

  async getChildren(node?: MachineNode): Promise<MachineNode[]> {
    if (node) return [];
    const [runs, rows] = await Promise.all([this.activeRuns(), this.readRows()]);
    this.rows = new Map(rows.map((r) => [r.id, r]));
    return [...this.nodesOf(runs), ...rows];
  }

  getTreeItem(node: MachineNode): vscode.TreeItem {
    const none = vscode.TreeItemCollapsibleState.None;
    if ('kind' in node) {
      const run = this.services.store.run(node.folder);
      if (!run) return new vscode.TreeItem(node.folder);
      const item = treeItem(node, runRow(run, rowContext()), none);
      item.tooltip = tooltip(runDetails(run, vscode.env.language));
      return item;
    }
    const row = this.rows.get(node.id) ?? node;
    const item = new vscode.TreeItem(row.label, none);
    item.id = row.id;
    item.description = row.description;
    item.tooltip = row.tooltip;
    item.contextValue = row.capabilities.join(' ');
    if (row.command !== undefined) item.command = { command: row.command, title: row.label };
    item.accessibilityInformation = { label: row.spoken };
    item.iconPath = new vscode.ThemeIcon(
      row.icon.id,
      row.icon.color ? new vscode.ThemeColor(row.icon.color) : undefined,
    );
    return item;
  }

  /** Checks the machine again and refreshes changed rows. */
  async look(): Promise<void> {
    const rows = await this.readRows();
    // In the same order: another device may now be the fastest.
    const same = [...this.rows.keys()].join() === rows.map((r) => r.id).join();
    if (!same) return this.changed.fire(undefined);
    const stale = rows.filter((r) => this.rows.get(r.id)!.spoken !== r.spoken);
    // VS Code identifies a row by its object: the old one stays and gets the new text.
    for (const r of stale) Object.assign(this.rows.get(r.id)!, r);
    if (stale.length > 0) this.changed.fire(stale.map((r) => this.rows.get(r.id)!));
  }

  async runsChanged(runs: readonly RunEntry[] | undefined): Promise<void> {
    const active = await this.activeRuns();
    const same = active.length === this.running.size && active.every((r) => this.running.has(r.folder));
    if (!same || !runs) return this.changed.fire(undefined);
    const nodes = runs.flatMap((r) => this.running.get(r.folder) ?? []);
    if (nodes.length > 0) this.changed.fire(nodes);
  }

  dispose(): void {
    this.changed.dispose();
  }

  private async activeRuns(): Promise<RunEntry[]> {
    const experiments = await this.services.store.experiments();
    return experiments.flatMap((e) => e.runs.filter(isActiveHere));
  }

  private nodesOf(runs: readonly RunEntry[]): RunNode[] {
    const nodes = runs.map(({ folder }): RunNode => this.running.get(folder) ?? { kind: 'run', folder });
    this.running.clear();
    for (const node of nodes) this.running.set(node.folder, node);
    return nodes;
  }

  private async readRows(): Promise<MachineRow[]> {
    const { context, log, trainer } = this.services;
    const { version } = context.extension.packageJSON as { version: string };
    try {
      this.looking ??= trainer.machine();
      const check = lastCheck(context);
      const checked = check && { check, now: Date.now(), locale: vscode.env.language };
      const rows = machineRows(await this.looking, version, checked);
      void vscode.commands.executeCommand('setContext', CONTEXT.machineKnown, true);
      return rows;
    } catch (e) {
      log.error(e as Error);
      void vscode.commands.executeCommand('setContext', CONTEXT.machineKnown, false);
      return [];
    } finally {
      this.looking = undefined;
    }
  }
}
