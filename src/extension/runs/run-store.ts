import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import * as vscode from 'vscode';
import { experimentName } from '../../runs/layout';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { CONTEXT, LANGUAGE } from '../ids';
import { Catalog, type Changes } from './catalog';
import { storedDemos } from './demo-places';
import { isActive } from './shown-state';
import type { ExperimentEntry, RunEntry, RunStore } from './store';
import type { Contributes } from '../manifest/declared';

export const contributes: Contributes = {
  sections: {
    configurationDefaults: {
      'files.watcherExclude': { '**/.aurora/**': true },
      'search.exclude': { '**/.aurora': true },
    },
  },
};

/** Polling interval of running runs. */
const ACTIVE_MS = 250;
/** Polling interval of the folders of known experiments, while the window is focused. */
const FOLDERS_MS = 2000;
/** With thousands of runs, scanning takes longer: at most a tenth of the time is spent on it. */
const PAUSE_PER_SCAN = 9;
const LONGEST_PAUSE_MS = 10_000;
const EXPERIMENTS = '**/*.aurora.json';
const ENDING = '.aurora.json';
const NOT_IN = '**/{node_modules,.aurora}/**';

export function createRunStore(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): RunStore {
  const store = new WorkspaceRunStore(log, storedDemos(context.globalStorageUri.fsPath));
  context.subscriptions.push(store);
  return store;
}

class WorkspaceRunStore implements RunStore {
  private readonly catalog = new Catalog();
  private readonly changed = new vscode.EventEmitter<readonly RunEntry[] | undefined>();
  readonly onDidChange = this.changed.event;
  private readonly read = new vscode.EventEmitter<void>();
  readonly onDidRead = this.read.event;
  private readonly subscriptions: vscode.Disposable[] = [];
  private firstLook: Promise<void> | undefined;
  private foundInRoots!: () => void;
  private readonly firstFound = new Promise<void>((done) => (this.foundInRoots = done));
  /** Scans run one after the other. */
  private queue: Promise<unknown> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private lookedAtFolders = -Infinity;
  private scanMs = 0;
  private polling = false;

  constructor(
    private readonly log: vscode.LogOutputChannel,
    /** Experiment files that are listed while no folder is open. */
    private readonly demos: readonly string[],
  ) {}

  async experiments(): Promise<ExperimentEntry[]> {
    await (this.firstLook ??= this.start());
    return this.list();
  }

  async firstExperiments(): Promise<ExperimentEntry[]> {
    this.firstLook ??= this.start();
    await Promise.race([this.firstFound, this.firstLook]);
    return this.list();
  }

  async runs(): Promise<RunEntry[]> {
    const experiments = await this.experiments();
    return [...experiments.flatMap((e) => e.runs), ...this.catalog.elsewhere];
  }

  run(folder: string): RunEntry | undefined {
    return this.catalog.run(canonical(folder));
  }

  known(): RunEntry[] {
    return this.list().flatMap((e) => e.runs);
  }

  async refreshRun(folder: string): Promise<RunEntry> {
    const path = canonical(folder);
    await this.look(() => this.catalog.lookAt(path));
    this.watch();
    const entry = this.catalog.run(path);
    if (entry) return entry;
    throw new AuroraError(
      'run',
      t('There is no run in {0}.', folder),
      t('It may have been moved or deleted; refresh the Experiments view.'),
    );
  }

  async refresh(): Promise<void> {
    this.firstLook ??= this.start();
    await this.firstLook;
    await this.lookEverywhere();
    this.changed.fire(undefined);
  }

  dispose(): void {
    clearInterval(this.timer);
    for (const s of this.subscriptions) s.dispose();
    this.changed.dispose();
    this.read.dispose();
  }

  private list(): ExperimentEntry[] {
    return this.catalog.experiments().flatMap((e) => {
      const workspaceFolder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(e.file));
      return workspaceFolder || this.demos.includes(e.file)
        ? [{ ...e, name: experimentName(e.file), workspaceFolder }]
        : [];
    });
  }

  private async start(): Promise<void> {
    const watcher = vscode.workspace.createFileSystemWatcher(EXPERIMENTS, false, true, false);
    this.subscriptions.push(
      watcher,
      watcher.onDidCreate((uri) => this.fileCame(uri)),
      watcher.onDidDelete((uri) => this.fileWent(uri)),
      // An open run exists, whether or not a watcher has noticed.
      vscode.workspace.onDidOpenTextDocument((d) => this.opened(d)),
      vscode.workspace.onDidChangeWorkspaceFolders(() => void this.lookEverywhere()),
      vscode.window.onDidChangeWindowState((state) => {
        if (state.focused) this.lookedAtFolders = -Infinity;
      }),
    );
    // It takes longer than reading the root folders.
    const search = findExperiments().catch((e: Error): string[] => {
      this.log.error(e);
      return [];
    });
    await this.lookIn((await Promise.all(rootFolders().map(experimentsIn))).flat());
    if (this.list().length > 0) this.foundInRoots();
    // These do not replace files that were found in the root folders, or created since.
    const more = (await search).filter((file) => !this.catalog.has(file));
    for (const file of more) this.catalog.addFile(file);
    if (more.length > 0) await this.lookAtFolders();
    vscode.workspace.textDocuments.forEach((d) => this.opened(d));
    setContext(CONTEXT.loaded, true);
    this.watch();
  }

  private async lookEverywhere(): Promise<void> {
    await this.lookIn(await findExperiments());
  }

  private async lookIn(files: readonly string[]): Promise<void> {
    const folders = rootFolders();
    const demos = folders.length > 0 ? [] : this.demos;
    this.catalog.setPlaces([...files, ...demos], [...folders, ...demos.map((file) => dirname(file))]);
    await this.lookAtFolders();
  }

  private async lookAtFolders(): Promise<void> {
    await this.look(async () => {
      // Without the wait for other scans.
      const began = performance.now();
      const changes = await this.catalog.look(() => this.read.fire());
      this.scanMs = performance.now() - began;
      return changes;
    });
    this.lookedAtFolders = performance.now();
  }

  private fileCame(uri: vscode.Uri): void {
    if (uri.scheme !== 'file' || /[\\/](node_modules|\.aurora)[\\/]/.test(uri.fsPath)) return;
    this.catalog.addFile(uri.fsPath);
    void this.lookAtFolders();
  }

  private opened({ uri, languageId }: vscode.TextDocument): void {
    if (languageId === LANGUAGE && vscode.workspace.getWorkspaceFolder(uri) && !this.catalog.has(uri.fsPath))
      this.fileCame(uri);
  }

  private fileWent(uri: vscode.Uri): void {
    this.catalog.removeFile(uri.fsPath);
    void this.lookAtFolders();
  }

  private get pause(): number {
    return Math.max(FOLDERS_MS, Math.min(PAUSE_PER_SCAN * this.scanMs, LONGEST_PAUSE_MS));
  }

  /** Starts polling; called once there is something that can change. */
  private watch(): void {
    this.timer ??= setInterval(() => void this.poll(), ACTIVE_MS);
  }

  private async poll(): Promise<void> {
    // A slow disk must not pile up scans.
    if (this.polling) return;
    this.polling = true;
    try {
      if (
        this.firstLook &&
        vscode.window.state.focused &&
        performance.now() - this.lookedAtFolders >= this.pause
      )
        await this.lookAtFolders();
      else if (this.catalog.active) await this.look(() => this.catalog.lookAtActive());
    } finally {
      this.polling = false;
    }
  }

  private look(action: () => Promise<Changes>): Promise<void> {
    const next = this.queue.then(async () => {
      try {
        const { structure, runs } = await action();
        if (structure || runs.length > 0) {
          this.updateContext();
          this.changed.fire(structure ? undefined : runs);
        }
      } catch (e) {
        this.log.error(e as Error);
      }
    });
    this.queue = next;
    return next;
  }

  private updateContext(): void {
    const experiments = this.list();
    const runs = [...experiments.flatMap((e) => e.runs), ...this.catalog.elsewhere];
    setContext(CONTEXT.hasExperiments, experiments.length > 0);
    setContext(CONTEXT.hasRuns, runs.length > 0);
    setContext(
      CONTEXT.hasRunningSweep,
      experiments.some((e) => e.sweeps.some((s) => s.state === 'running')),
    );
    setContext(
      CONTEXT.hasRunning,
      runs.some((r) => isActive(r.state)),
    );
  }
}

const contexts = new Map<string, unknown>();

/**
 * Each context key costs a message to the window, so only changes are sent. Messages arrive in order: rows that are returned
 * afterwards find the key set.
 */
function setContext(key: string, value: boolean): void {
  if (contexts.get(key) === value) return;
  contexts.set(key, value);
  // It is rejected only if the window has closed.
  vscode.commands.executeCommand('setContext', key, value).then(undefined, () => undefined);
}

const rootFolders = (): string[] =>
  (vscode.workspace.workspaceFolders ?? []).flatMap(({ uri }) => (uri.scheme === 'file' ? [uri.fsPath] : []));

async function findExperiments(): Promise<string[]> {
  const uris = await vscode.workspace.findFiles(EXPERIMENTS, NOT_IN);
  return uris.filter((u) => u.scheme === 'file').map((u) => u.fsPath);
}

/** The experiments directly in a folder. */
async function experimentsIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith(ENDING)).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** A canonical spelling for a folder: VS Code writes drive letters in lower case. */
const canonical = (folder: string): string =>
  resolve(folder).replace(/^[A-Z]:/, (drive) => drive.toLowerCase());
