import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { INTERNAL, VIEW } from '../ids';
import { isActive } from '../runs/shown-state';
import type { ExportRecord } from '../../protocol/export';
import { experimentSweeps } from '../../runs/layout';
import type { ExperimentEntry, RunEntry, RunStore, SweepEntry } from '../runs/store';
import type { Services } from '../services';
import { matchesFilter, sortRuns } from './arrange';
import { adapterRow, checkpointRow, exportRow, readArtifacts } from './artifacts';
import { BeginWatch } from './begun';
import { experimentRow } from './experiment-row';
import { nodeId, tooltip, treeItem } from './items';
import { rowContext } from '../words/row-context';
import type { ExperimentNode, RunNode, SweepNode, TreeNode } from '../runs/nodes';
import { runDetails } from '../words/run-details';
import { runRow, type Row } from '../words/run-row';
import { rememberSelection } from '../runs/selection';
import { bySweep, sweepRow } from '../words/sweep-row';
import { ViewOptions } from './view-options';

/** Update interval of "3 min ago". */
const CLOCK_MS = 30_000;
/** With more experiments than this, all start collapsed. */
const OPEN_EXPERIMENTS = 5;

export function registerExperimentsTree({ context, store, exported }: Services): vscode.Disposable {
  const options = new ViewOptions(context.workspaceState);
  const tree = new ExperimentsTree(store, options, exported.event);
  const view = vscode.window.createTreeView(VIEW.experiments, {
    treeDataProvider: tree,
    canSelectMany: true,
    showCollapseAll: true,
  });
  tree.onDidArrange(({ message, running }) => {
    view.message = message;
    view.badge = running > 0 ? { value: running, tooltip: runningText(running) } : undefined;
  });
  rememberSelection(() => view.selection);
  const shown = vscode.commands.registerCommand(INTERNAL.showExperiment, async (file: string) => {
    await vscode.commands.executeCommand(`${VIEW.experiments}.focus`);
    const node = await tree.experiment(file);
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
  return vscode.Disposable.from(view, tree, options, shown, { dispose: () => clearInterval(clock) });
}

const runningText = (n: number): string =>
  n === 1 ? vscode.l10n.t('1 run is training') : vscode.l10n.t('{0} runs are training', n);

/** experiment → sweeps → runs → checkpoints and adapters */
class ExperimentsTree implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<TreeNode[] | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly arranged = new vscode.EventEmitter<{ message: string | undefined; running: number }>();
  readonly onDidArrange = this.arranged.event;
  private readonly begun = new vscode.EventEmitter<ExperimentNode[]>();
  /** Visible experiments whose first run appeared, or where a run was started. */
  readonly onDidBegin = this.begun.event;
  private readonly begins = new BeginWatch();
  private readonly subscriptions: vscode.Disposable[];
  private experiments: ExperimentEntry[] = [];
  private readonly drawn = new Map<string, Drawn>();
  /** The row order last returned: of experiments (under ''), and below each experiment and sweep. */
  private readonly orders = new Map<string, string>();
  /** Sizes of adapter files, and export descriptions, known once their run was expanded. */
  private readonly sizes = new Map<string, number>();
  private readonly records = new Map<string, ExportRecord>();

  constructor(
    private readonly store: RunStore,
    private readonly options: ViewOptions,
    /** Fires with the run's folder. */
    exported: vscode.Event<string>,
  ) {
    this.subscriptions = [
      exported((folder) => this.changed.fire([this.node({ kind: 'run', folder })])),
      store.onDidChange((runs) => void this.update(runs)),
      options.onDidChange(() => this.changed.fire(undefined)),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.changed.fire(undefined)),
    ];
  }

  async getChildren(node?: TreeNode): Promise<TreeNode[]> {
    if (!node) return this.roots();
    if (node.kind === 'experiment' || node.kind === 'sweep') {
      const below = this.below(node);
      this.orders.set(nodeId(node), orderOf(below.map(nodeId)));
      return below.map((child) => this.node(child));
    }
    return node.kind === 'run' ? this.artifactsOf(node) : [];
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    const row = this.row(node);
    const drawn = this.drawn.get(nodeId(node));
    if (drawn) drawn.text = textOf(row);
    const item = treeItem(node, row, this.collapsible(node));
    if (node.kind === 'experiment') {
      item.resourceUri = vscode.Uri.file(node.file);
      if (row.icon.id === 'file') item.iconPath = vscode.ThemeIcon.File;
    }
    return item;
  }

  getParent(node: TreeNode): TreeNode | undefined {
    if (node.kind === 'experiment') return undefined;
    if (node.kind === 'sweep') {
      const sweep = this.sweep(node.folder);
      return sweep && this.node({ kind: 'experiment', file: sweep.experiment });
    }
    if (node.kind !== 'run') return this.node({ kind: 'run', folder: node.folder });
    const run = this.store.run(node.folder);
    const sweep = run && this.sweep(sweepFolderOf(run));
    if (sweep) return this.node({ kind: 'sweep', folder: sweep.folder });
    return run && this.node({ kind: 'experiment', file: run.experiment });
  }

  resolveTreeItem(item: vscode.TreeItem, node: TreeNode): vscode.TreeItem {
    const run = node.kind === 'experiment' || node.kind === 'sweep' ? undefined : this.store.run(node.folder);
    if (node.kind === 'run' && run)
      item.tooltip = tooltip(runDetails(run, vscode.l10n.t, vscode.env.language));
    else if (node.kind === 'experiment') item.tooltip = node.file;
    else if (node.kind === 'sweep') item.tooltip = node.folder;
    return item;
  }

  /** An experiment's row; undefined if filtered out. */
  async experiment(file: string): Promise<TreeNode | undefined> {
    this.experiments = await this.store.experiments();
    const shown = this.shownExperiments().some((e) => e.file === file);
    return shown ? this.node({ kind: 'experiment', file }) : undefined;
  }

  /** Refreshes rows whose text has changed. */
  refreshChanged(): void {
    this.redraw([...this.drawn.values()]);
  }

  dispose(): void {
    for (const s of this.subscriptions) s.dispose();
    this.changed.dispose();
    this.arranged.dispose();
    this.begun.dispose();
  }

  private async roots(): Promise<TreeNode[]> {
    this.experiments = await this.store.experiments();
    this.forgetGone();
    if (!this.orders.has('')) this.begins.look(this.beginnings());
    const shown = this.shownExperiments();
    this.tellArrangement(shown);
    this.orders.set('', orderOf(shown.map((e) => e.file)));
    return shown.map((e) => this.node({ kind: 'experiment', file: e.file }));
  }

  private shownExperiments(): ExperimentEntry[] {
    const byName = (a: ExperimentEntry, b: ExperimentEntry) =>
      Number(b.exists) - Number(a.exists) ||
      a.name.localeCompare(b.name, undefined, { numeric: true }) ||
      (a.file < b.file ? -1 : 1);
    return this.experiments.filter((e) => !this.options.filter || this.shownRuns(e).length > 0).sort(byName);
  }

  private tellArrangement(shown: readonly ExperimentEntry[]): void {
    const all = this.experiments.flatMap((e) => e.runs);
    const { filter } = this.options;
    const count = shown.reduce((n, e) => n + this.shownRuns(e).length, 0);
    this.arranged.fire({
      // A message would hide the welcome text that offers to clear the filter.
      message:
        filter && count > 0 ? vscode.l10n.t('"{0}": {1} of {2} runs', filter, count, all.length) : undefined,
      running: all.filter((r) => isActive(r.state)).length,
    });
  }

  /** An experiment's sweeps and its other runs, or a sweep's trials; filtered and sorted. */
  private below(node: ExperimentNode | SweepNode): TreeNode[] {
    const experiment = this.experiments.find((e) =>
      node.kind === 'experiment' ? e.file === node.file : e.sweeps.some((s) => s.folder === node.folder),
    );
    if (!experiment) return [];
    const { groups, others } = bySweep(experiment.sweeps, this.shownRuns(experiment));
    const ofRuns = (runs: readonly RunEntry[]) =>
      runs.map((r): RunNode => ({ kind: 'run', folder: r.folder }));
    if (node.kind === 'sweep') return ofRuns(groups.find((g) => g.sweep.folder === node.folder)?.runs ?? []);
    return [...groups.map((g): SweepNode => ({ kind: 'sweep', folder: g.sweep.folder })), ...ofRuns(others)];
  }

  private sweep(folder: string | undefined): SweepEntry | undefined {
    return this.experiments.flatMap((e) => e.sweeps).find((s) => s.folder === folder);
  }

  /** Filtered and sorted. */
  private shownRuns({ runs, name }: ExperimentEntry): RunEntry[] {
    const { filter, sort } = this.options;
    return sortRuns(filter ? runs.filter((r) => matchesFilter(r, name, filter)) : runs, sort);
  }

  private async artifactsOf({ folder }: RunNode): Promise<TreeNode[]> {
    const { adapters, exports, checkpoints } = await readArtifacts(folder);
    for (const a of adapters) this.sizes.set(`${folder}:${a.which}`, a.size);
    for (const { name, record } of exports) this.records.set(`${folder}:${name}`, record);
    return [
      ...adapters.map(({ which }) => this.node({ kind: 'adapter', folder, which })),
      ...exports.map(({ name }) => this.node({ kind: 'export', folder, name })),
      ...checkpoints.map((step) => this.node({ kind: 'checkpoint', folder, step })),
    ];
  }

  /**
   * Refreshes what changed: a row with a different text, or an experiment whose runs appeared, disappeared or moved.
   */
  private async update(runs: readonly RunEntry[] | undefined): Promise<void> {
    this.experiments = await this.store.experiments();
    const shown = this.shownExperiments();
    this.tellArrangement(shown);
    const begun = this.begins.look(this.beginnings());
    // The rows have not been requested yet.
    if (!this.orders.has('')) return;
    this.draw(runs, shown);
    const nodes = shown.filter((e) => begun.includes(e.file)).map((e) => experimentNode(e));
    if (nodes.length > 0) this.begun.fire(nodes.map((n) => this.node(n)));
  }

  private beginnings() {
    const runs = this.experiments.flatMap((e) => e.runs);
    return runs.map(({ folder, experiment, state }) => ({ folder, experiment, active: isActive(state) }));
  }

  private draw(runs: readonly RunEntry[] | undefined, shown: readonly ExperimentEntry[]): void {
    if (this.orders.get('') !== orderOf(shown.map((e) => e.file))) return this.changed.fire(undefined);
    const ids = runs?.flatMap((r) => [
      `run:${r.folder}`,
      `experiment:${r.experiment}`,
      `sweep:${sweepFolderOf(r) ?? ''}`,
    ]);
    const looked = ids ? ids.flatMap((id) => this.drawn.get(id) ?? []) : [...this.drawn.values()];
    this.redraw([...new Set(looked)]);
  }

  private redraw(drawn: readonly Drawn[]): void {
    const stale = drawn.filter(({ node, text }) => {
      if (node.kind === 'experiment' || node.kind === 'sweep') {
        const order = this.orders.get(nodeId(node));
        if (order !== undefined && order !== orderOf(this.below(node).map(nodeId))) return true;
      }
      return text !== '' && textOf(this.row(node)) !== text;
    });
    if (stale.length > 0) this.changed.fire(stale.map((s) => s.node));
  }

  private node<T extends TreeNode>(node: T): T {
    const id = nodeId(node);
    const there = this.drawn.get(id);
    if (there) return there.node as T;
    this.drawn.set(id, { node, text: '' });
    return node;
  }

  private row(node: TreeNode): Row {
    const context = rowContext();
    if (node.kind === 'experiment') {
      const entry = this.experiments.find((e) => e.file === node.file);
      const gone = { name: node.file, exists: false, runs: [], hasSweep: false };
      return experimentRow(
        entry ?? gone,
        entry ? this.shownRuns(entry).length : 0,
        this.placeOf(entry),
        context,
      );
    }
    if (node.kind === 'sweep') {
      const sweep = this.sweep(node.folder);
      const runs = this.experiments.find((e) => e.file === sweep?.experiment)?.runs ?? [];
      return sweep ? sweepRow(sweep, bySweep([sweep], runs).groups[0]?.runs ?? [], context) : GONE_SWEEP;
    }
    const run = this.store.run(node.folder) ?? goneRun(node.folder);
    switch (node.kind) {
      case 'run':
        return runRow(run, context);
      case 'checkpoint':
        return checkpointRow(run, node.step, context);
      case 'adapter':
        return adapterRow(node.which, this.sizes.get(`${node.folder}:${node.which}`) ?? 0, context);
      case 'export':
        return exportRow(this.records.get(`${node.folder}:${node.name}`)!, context);
    }
  }

  /** An experiment's location: its folder, unless that is the only workspace folder itself. */
  private placeOf(entry: ExperimentEntry | undefined): string {
    if (!entry) return '';
    const folder = dirname(entry.file);
    const several = (vscode.workspace.workspaceFolders?.length ?? 0) > 1;
    if (folder === entry.workspaceFolder.uri.fsPath) return several ? entry.workspaceFolder.name : '';
    return vscode.workspace.asRelativePath(folder, several);
  }

  private collapsible(node: TreeNode): vscode.TreeItemCollapsibleState {
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    if (node.kind === 'experiment') {
      if (this.below(node).length === 0) return None;
      return this.experiments.length <= OPEN_EXPERIMENTS || this.options.filter ? Expanded : Collapsed;
    }
    if (node.kind === 'sweep') return this.options.filter ? Expanded : Collapsed;
    const run = node.kind === 'run' ? this.store.run(node.folder)?.run : undefined;
    return run?.events.some((e) => e.kind === 'checkpoint' || e.kind === 'evaluation') ? Collapsed : None;
  }

  private forgetGone(): void {
    const folders = new Set(this.experiments.flatMap((e) => e.runs.map((r) => r.folder)));
    for (const { folder } of this.experiments.flatMap((e) => e.sweeps)) folders.add(folder);
    const files = new Set(this.experiments.map((e) => e.file));
    for (const [id, { node }] of this.drawn)
      if (node.kind === 'experiment' ? !files.has(node.file) : !folders.has(node.folder))
        this.drawn.delete(id);
  }
}

/**
 * VS Code identifies nodes by object identity: one object per row, with the row's text when last drawn ('' for never).
 */
interface Drawn {
  node: TreeNode;
  text: string;
}

const experimentNode = ({ file }: ExperimentEntry): ExperimentNode => ({ kind: 'experiment', file });

const orderOf = (paths: readonly string[]): string => paths.join('\n');

const textOf = (row: Row): string => JSON.stringify(row);

/** Where a trial's sweep is, whether or not it still exists. */
const sweepFolderOf = ({ experiment, trial }: RunEntry): string | undefined =>
  trial && join(experimentSweeps(experiment), trial.sweep);

/** Rows that are drawn once more after what they represent is gone. */
const GONE_SWEEP: Row = { label: '', description: '', icon: { id: 'layers' }, capabilities: [], spoken: '' };

const goneRun = (folder: string): RunEntry => ({
  folder,
  id: folder,
  experiment: '',
  state: 'damaged',
  user: {},
});
