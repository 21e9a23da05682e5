import * as vscode from 'vscode';
import { count } from '../../base/number-text';
import { t } from '../../base/l10n';
import { isActive } from '../runs/shown-state';
import type { ExportRecord } from '../../protocol/export';
import { claimOfSweep } from '../../runs/claim-folder';
import type { ClaimEntry, ExperimentEntry, RunEntry, RunStore, SweepEntry } from '../runs/store';
import type { Services } from '../services';
import { byName } from '../runs/run-sort';
import { sweepFolderOf } from '../runs/sweep-of';
import type * as Artifacts from './artifacts';
import { BeginWatch } from './begun';
import { queuedNames, queuedRow } from '../queue/queued-row';
import type { RunQueue } from '../queue/run-queue';
import {
  experimentRow,
  GONE_SWEEP,
  goneExperiment,
  goneRun,
  interruptedMessage,
  interruptedRow,
  interruptedRuns,
} from './experiment-row';
import type { Folding } from './folding';
import { placeOf } from './place-of';
import { queuedTooltip, tooltip, treeItem } from './items';
import { rowContext } from '../words/row-context';
import {
  nodeId,
  runFolderOf,
  type ClaimNode,
  type ExperimentNode,
  type MoreNode,
  type QueuedNode,
  type RunNode,
  type SweepNode,
  type TreeNode,
  type TrialsNode,
} from '../runs/nodes';
import { claimOf, claimRow, claimTitle } from '../words/claim-row';
import { runDetails } from '../words/run-details';
import { runRow, type Row } from '../words/run-row';
import { bySweep, sweepRow, trialsOf } from '../words/sweep-row';
import { ShownRuns } from './shown-runs';
import { TrialRows } from './trials';
import type { ViewOptions } from './view-options';

/** With more experiments than this, all start collapsed. */
const OPEN_EXPERIMENTS = 5;

/** workspaceState: run folders. */
const DISMISSED = 'experiments.dismissed';

/** experiment → claims → sweeps → runs → checkpoints and adapters */
export class ExperimentsTree implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<TreeNode[] | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly arranged = new vscode.EventEmitter<{ message: string | undefined; running: number }>();
  readonly onDidArrange = this.arranged.event;
  private readonly begun = new vscode.EventEmitter<ExperimentNode[]>();
  /** Visible experiments whose first run appeared, or where a run was started or queued. */
  readonly onDidBegin = this.begun.event;
  private readonly begins = new BeginWatch();
  private readonly subscriptions: vscode.Disposable[];
  private experiments: ExperimentEntry[] = [];
  private readonly drawn = new Map<string, Drawn>();
  /** The row order last returned: of experiments (under ''), and below each experiment and sweep. */
  private readonly orders = new Map<string, string>();
  private readonly trials = new TrialRows((folder) => {
    const entry = this.experiments.find((e) => e.sweeps.some((s) => s.folder === folder));
    return entry && { sweep: this.sweep(folder)!, runs: entry.runs };
  });
  /** Loaded when a run is first expanded. */
  private parts: typeof Artifacts | undefined;
  /** Sizes of adapter files, and export descriptions, known once their run was expanded. */
  private readonly sizes = new Map<string, number>();
  private readonly records = new Map<string, ExportRecord>();
  private queued = new Map<string, string>();
  private readonly runs: ShownRuns;
  private readonly store: RunStore;
  private readonly queue: RunQueue;
  private readonly memory: vscode.Memento;

  constructor(
    { store, queue, partsChanged, context }: Services,
    private readonly options: ViewOptions,
    private readonly folding: Folding,
  ) {
    this.store = store;
    this.queue = queue;
    this.runs = new ShownRuns(options);
    this.memory = context.workspaceState;
    this.subscriptions = [
      queue.onDidChange(() => void this.update(undefined)),
      partsChanged.event((folder) => this.changed.fire([this.node({ kind: 'run', folder })])),
      store.onDidChange((runs) => void this.update(runs)),
      options.onDidChange(() => this.changed.fire(undefined)),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.changed.fire(undefined)),
    ];
  }

  async getChildren(node?: TreeNode): Promise<TreeNode[]> {
    if (!node) return this.roots();
    if (hasRowsBelow(node)) {
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
    if (node.kind === 'experiment' || node.kind === 'interrupted') return undefined;
    if (node.kind === 'queued') {
      const item = this.queue.items.find((q) => q.id === node.id);
      return item && this.node({ kind: 'experiment', file: item.file });
    }
    if (node.kind === 'claim') {
      const claim = this.claim(node.folder);
      return claim && this.node({ kind: 'experiment', file: claim.experiment });
    }
    if (node.kind === 'sweep') {
      const sweep = this.sweep(node.folder);
      const claim = this.claim(claimOfSweep(node.folder)?.claim);
      if (claim) return this.node({ kind: 'claim', folder: claim.folder });
      return sweep && this.node({ kind: 'experiment', file: sweep.experiment });
    }
    if (node.kind === 'more') return this.node(node.below);
    if (node.kind === 'trials') return this.node({ kind: 'sweep', folder: node.folder });
    if (node.kind === 'trial') {
      const group = this.trials.groupOf(node);
      return group && this.node(group);
    }
    if (node.kind !== 'run') return this.node({ kind: 'run', folder: node.folder });
    const run = this.store.run(node.folder);
    const sweep = run && this.sweep(sweepFolderOf(run));
    if (sweep) return this.node({ kind: 'sweep', folder: sweep.folder });
    return run && this.node({ kind: 'experiment', file: run.experiment });
  }

  resolveTreeItem(item: vscode.TreeItem, node: TreeNode): vscode.TreeItem {
    const folder = runFolderOf(node);
    const run = folder === undefined ? undefined : this.store.run(folder);
    const queued = node.kind === 'queued' && this.queue.items.find((q) => q.id === node.id);
    if (queued) item.tooltip = queuedTooltip(queued);
    if ((node.kind === 'run' || node.kind === 'interrupted') && run)
      item.tooltip = tooltip(runDetails(run, vscode.env.language));
    else if (node.kind === 'experiment') item.tooltip = node.file;
    else if (node.kind === 'claim') {
      const claim = this.claim(node.folder);
      item.tooltip = claim && `${claimTitle(claim)}\n${node.folder}`;
    } else if (node.kind === 'sweep' || node.kind === 'trial') item.tooltip = this.trials.tooltip(node);
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

  /** Shows more of the runs that a row stands for, and returns the first of them, which is in the row's place. */
  showMore(node: MoreNode): TreeNode | undefined {
    const place = this.below(node.below).length - 1;
    this.runs.more(node);
    this.changed.fire([this.node(node.below)]);
    const first = this.below(node.below).at(place);
    return first && this.node(first);
  }

  /** Removes the reminder of a run that ended with its window. */
  async dismiss(folder: string | undefined): Promise<void> {
    if (folder === undefined) return;
    const gone = this.memory.get<string[]>(DISMISSED, []).filter((f) => this.store.run(f));
    await this.memory.update(DISMISSED, [...gone, folder]);
    await this.update(undefined);
  }

  dispose(): void {
    for (const s of this.subscriptions) s.dispose();
    this.changed.dispose();
    this.arranged.dispose();
    this.begun.dispose();
  }

  private async roots(): Promise<TreeNode[]> {
    const isFirst = !this.orders.has('');
    this.experiments = await (isFirst ? this.store.firstExperiments() : this.store.experiments());
    // The rest, and from then on all that begins.
    if (isFirst) void this.store.experiments().then(() => this.update(undefined));
    this.nameQueued();
    this.forgetGone();
    const shown = this.shownExperiments();
    this.tellArrangement(shown);
    const roots = this.rootsOf(shown);
    this.orders.set('', orderOf(roots.map(nodeId)));
    return roots.map((node) => this.node(node));
  }

  private rootsOf(shown: readonly ExperimentEntry[]): TreeNode[] {
    return [
      ...this.interrupted().map(({ folder }): TreeNode => ({ kind: 'interrupted', folder })),
      ...shown.map(experimentNode),
    ];
  }

  private interrupted(): RunEntry[] {
    return interruptedRuns(this.experiments, this.memory.get<string[]>(DISMISSED, []));
  }

  private shownExperiments(): ExperimentEntry[] {
    return this.experiments.filter((e) => !this.options.filter || this.runs.found(e).length > 0).sort(byName);
  }

  private tellArrangement(shown: readonly ExperimentEntry[]): void {
    const all = this.experiments.flatMap((e) => e.runs);
    const { filter } = this.options;
    const found = shown.reduce((n, e) => n + this.runs.found(e).length, 0);
    this.arranged.fire({
      // A message would hide the welcome text that offers to clear the filter.
      message: filter
        ? found > 0
          ? t('"{0}": {1} of {2} runs', filter, count(found), count(all.length))
          : undefined
        : interruptedMessage(this.interrupted()),
      running: all.filter((r) => isActive(r.state)).length,
    });
  }

  /** An experiment's claims, sweeps and other runs, a claim's sweeps, or a sweep's trials; filtered and sorted. */
  private below(node: RowAbove): TreeNode[] {
    if (node.kind === 'trials') return this.trials.below(node);
    const experiment = this.experiments.find((e) =>
      node.kind === 'experiment'
        ? e.file === node.file
        : [...e.sweeps, ...e.claims].some(({ folder }) => folder === node.folder),
    );
    if (!experiment) return [];
    const { groups, others } = bySweep(experiment.sweeps, this.runs.of(experiment));
    const ofClaim = (folder: string) =>
      groups.filter((g) => claimOf(g.sweep.folder, experiment)?.folder === folder);
    if (node.kind === 'claim') return ofClaim(node.folder).reverse().map(sweepNode);
    if (node.kind === 'sweep') {
      const runs = this.runs.below(node, groups.find((g) => g.sweep.folder === node.folder)?.runs ?? []);
      // A filter finds runs.
      return this.options.filter ? runs : [...this.trials.groups(node.folder), ...runs];
    }
    const waiting = this.queue.items.filter((q) => q.file === experiment.file);
    return [
      ...waiting.map(({ id }): QueuedNode => ({ kind: 'queued', id })),
      // A filter finds runs.
      ...experiment.claims
        .filter(({ folder }) => !this.options.filter || ofClaim(folder).length > 0)
        .map(({ folder }): ClaimNode => ({ kind: 'claim', folder })),
      ...groups.filter((g) => !claimOf(g.sweep.folder, experiment)).map(sweepNode),
      ...this.runs.below(node, others),
    ];
  }

  private sweep(folder: string | undefined): SweepEntry | undefined {
    return this.experiments.flatMap((e) => e.sweeps).find((s) => s.folder === folder);
  }

  private claim(folder: string | undefined): ClaimEntry | undefined {
    return this.experiments.flatMap((e) => e.claims).find((c) => c.folder === folder);
  }

  private async artifactsOf({ folder }: RunNode): Promise<TreeNode[]> {
    const { readArtifacts, artifactNodes } = (this.parts ??= await import('./artifacts'));
    const artifacts = await readArtifacts(folder);
    for (const a of artifacts.adapters) this.sizes.set(`${folder}:${a.which}`, a.size);
    for (const { name, record } of artifacts.exports) this.records.set(`${folder}:${name}`, record);
    return artifactNodes(folder, artifacts, this.store.run(folder)).map((node) => this.node(node));
  }

  /** Refreshes the changes: a row with a different text, or an experiment whose runs appeared, disappeared or moved. */
  private async update(runs: readonly RunEntry[] | undefined): Promise<void> {
    this.experiments = await this.store.experiments();
    const joined = runs ? [] : this.nameQueued();
    const shown = this.shownExperiments();
    this.tellArrangement(shown);
    const begun = runs ? this.begins.lookAt(runs) : this.begins.look(this.experiments.flatMap((e) => e.runs));
    // The rows have not been requested yet.
    if (!this.orders.has('')) return;
    this.draw(runs, shown);
    const news = [...begun, ...joined];
    const nodes = shown.filter((e) => news.includes(e.file)).map((e) => experimentNode(e));
    if (nodes.length > 0) this.begun.fire(nodes.map((n) => this.node(n)));
  }

  /** Returns the experiments of runs that were queued since the last time. */
  private nameQueued(): string[] {
    const before = this.queued;
    this.queued = queuedNames(this.queue.items, this.experiments);
    return this.queue.items.flatMap(({ id, file }) => (before.has(id) ? [] : [file]));
  }

  private draw(runs: readonly RunEntry[] | undefined, shown: readonly ExperimentEntry[]): void {
    if (this.orders.get('') !== orderOf(this.rootsOf(shown).map(nodeId))) return this.changed.fire(undefined);
    const ids = runs?.flatMap((r) => [
      `run:${r.folder}`,
      `interrupted:${r.folder}`,
      `experiment:${r.experiment}`,
      ...sweepIds(sweepFolderOf(r)),
    ]);
    const looked = ids ? ids.flatMap((id) => this.drawn.get(id) ?? []) : [...this.drawn.values()];
    this.redraw([...new Set(looked)]);
  }

  private redraw(drawn: readonly Drawn[]): void {
    const stale = drawn.filter(({ node, text }) => {
      if (hasRowsBelow(node)) {
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
      const shown = entry ? this.runs.found(entry).length : 0;
      const queued = this.queue.items.filter((q) => q.file === node.file).length;
      return experimentRow(entry ?? goneExperiment(node.file), shown, placeOf(entry), context, queued);
    }
    if (node.kind === 'claim') {
      const claim = this.claim(node.folder);
      const { sweeps, runs } = this.experiments.find((e) => e.file === claim?.experiment) ?? {
        sweeps: [],
        runs: [],
      };
      return claim ? claimRow(claim, sweeps, runs, context) : GONE_SWEEP;
    }
    if (node.kind === 'sweep') {
      const sweep = this.sweep(node.folder);
      const runs = this.experiments.find((e) => e.file === sweep?.experiment)?.runs ?? [];
      return sweep ? sweepRow(sweep, trialsOf(sweep, runs), context) : GONE_SWEEP;
    }
    if (node.kind === 'trials' || node.kind === 'trial') return this.trials.row(node, context);
    if (node.kind === 'more') return this.runs.moreRow(node);
    if (node.kind === 'queued') {
      const at = this.queue.items.findIndex((q) => q.id === node.id);
      const { kind = 'run' } = this.queue.items[at] ?? {};
      const place = { kind, position: at + 1, held: this.queue.heldBecause(node.id) };
      return queuedRow(this.queued.get(node.id) ?? '', place, context);
    }
    const run = this.store.run(node.folder) ?? goneRun(node.folder);
    switch (node.kind) {
      case 'run':
        return runRow(run, context);
      case 'interrupted':
        return interruptedRow(run, this.interrupted().length > 1, context);
      case 'checkpoint':
        return this.parts!.checkpointRow(run, node.step, context);
      case 'checkpointsThere':
        return this.parts!.checkpointsThereRow(run);
      case 'adapter':
        return this.parts!.adapterRow(
          node.which,
          this.sizes.get(`${node.folder}:${node.which}`) ?? 0,
          context,
        );
      case 'export':
        return this.parts!.exportRow(this.records.get(`${node.folder}:${node.name}`)!);
    }
  }

  private collapsible(node: TreeNode): vscode.TreeItemCollapsibleState {
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    // A filter shows its results.
    const unless = (isOpen: boolean) =>
      this.options.filter || (this.folding.isExpanded(nodeId(node)) ?? isOpen) ? Expanded : Collapsed;
    if (node.kind === 'experiment')
      return this.below(node).length === 0 ? None : unless(this.experiments.length <= OPEN_EXPERIMENTS);
    if (node.kind === 'claim' && this.below(node).length === 0) return None;
    if (node.kind === 'claim' || node.kind === 'sweep' || node.kind === 'trials') return unless(false);
    const run = node.kind === 'run' ? this.store.run(node.folder)?.run : undefined;
    if (!run?.events.some((e) => e.kind === 'checkpoint' || e.kind === 'evaluation')) return None;
    return this.folding.isExpanded(nodeId(node)) ? Expanded : Collapsed;
  }

  private forgetGone(): void {
    const folders = new Set(this.experiments.flatMap((e) => e.runs.map((r) => r.folder)));
    for (const { folder } of this.experiments.flatMap((e) => [...e.sweeps, ...e.claims])) folders.add(folder);
    const files = new Set(this.experiments.map((e) => e.file));
    const waiting = new Set(this.queue.items.map((q) => q.id));
    const isThere = (node: TreeNode): boolean => {
      if (node.kind === 'experiment') return files.has(node.file);
      if (node.kind === 'queued') return waiting.has(node.id);
      return node.kind === 'more' ? isThere(node.below) : folders.has(node.folder);
    };
    for (const [id, { node }] of this.drawn) if (!isThere(node)) this.drawn.delete(id);
  }
}

/**
 * VS Code identifies nodes by object identity: one object per row, with the row's text when last drawn ('' for never).
 */
interface Drawn {
  node: TreeNode;
  text: string;
}

/** A row with others below it that are not parts of a run. */
type RowAbove = ExperimentNode | ClaimNode | SweepNode | TrialsNode;

const hasRowsBelow = (node: TreeNode): node is RowAbove =>
  ['experiment', 'claim', 'sweep', 'trials'].includes(node.kind);

const sweepNode = ({ sweep }: { sweep: SweepEntry }): SweepNode => ({ kind: 'sweep', folder: sweep.folder });

/** The rows of a sweep and its claim. */
const sweepIds = (sweep: string | undefined): string[] =>
  sweep === undefined ? [] : [`sweep:${sweep}`, `claim:${claimOfSweep(sweep)?.claim ?? ''}`];

const experimentNode = ({ file }: ExperimentEntry): ExperimentNode => ({ kind: 'experiment', file });

const orderOf = (paths: readonly string[]): string => paths.join('\n');

const textOf = (row: Row): string => JSON.stringify(row);
