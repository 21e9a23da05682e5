import * as vscode from 'vscode';
import { readStoredText } from '../../files/read';
import { AuroraError } from '../../base/errors';
import type { Services } from '../services';
import {
  analyze,
  firstModelState,
  modelPathOf,
  type Analysis,
  type ModelState,
  type Sources,
} from './analysis';
import { inputFilesOf } from './checks/check-inputs';
import { type HeadOptions, HeadCache } from './data-head';
import { isExperiment } from './experiment-document';
import { checkWithTrials } from '../../runs/experiment/load';
import { ExperimentText, withoutMark } from '../../runs/experiment/experiment-text';
import { WorkspaceFiles } from '../models/workspace-files';

/** Delay after the last keystroke before the text is analysed. */
const PAUSE_MS = 250;
/** Files change without the editor noticing, so open experiments are checked again at this interval. */
const LOOK_AGAIN_MS = 5_000;

interface Live {
  /** The text's version that was analysed. */
  version: number;
  analysis?: Promise<Analysis>;
  latest?: Analysis;
  /** The last published result, to skip unchanged ones. */
  shown?: string;
  timer?: NodeJS.Timeout;
}

/** The analyses of all open experiments, updated while typing. */
export class LiveExperiments implements vscode.Disposable {
  private readonly open = new Map<string, Live>();
  private readonly heads = new HeadCache();
  private readonly changed = new vscode.EventEmitter<vscode.TextDocument>();
  private readonly subscriptions: vscode.Disposable[];
  /** The last failure in the log, so that it is not logged twice. */
  private logged?: string;
  readonly files = new WorkspaceFiles();
  readonly onDidChange = this.changed.event;

  constructor(private readonly services: Services) {
    const again = setInterval(() => {
      if (!vscode.window.state.focused) return;
      for (const document of vscode.workspace.textDocuments) this.schedule(document, 0);
    }, LOOK_AGAIN_MS);
    this.subscriptions = [
      { dispose: () => clearInterval(again) },
      vscode.workspace.onDidOpenTextDocument((d) => this.schedule(d, 0)),
      vscode.workspace.onDidChangeTextDocument((e) => this.schedule(e.document, PAUSE_MS)),
      vscode.workspace.onDidCloseTextDocument((d) => this.close(d)),
    ];
    for (const document of vscode.workspace.textDocuments) this.schedule(document, 0);
  }

  /** The latest analysis, perhaps of an older text; undefined before the first. */
  latest(document: vscode.TextDocument): Analysis | undefined {
    return this.open.get(document.uri.toString())?.latest;
  }

  /** The analysis of the current text. */
  async of(document: vscode.TextDocument): Promise<Analysis> {
    const live = this.live(document);
    if (live.version !== document.version || !live.analysis) return this.update(document);
    return live.analysis;
  }

  /** The analysis of a file as it is on disk; undefined if it is gone. */
  async ofFile(file: string): Promise<Analysis | undefined> {
    const text = await readStoredText(file).catch(() => undefined);
    if (text === undefined) return undefined;
    const doc = new ExperimentText(file, withoutMark(text));
    const path = await modelPathOf(doc);
    const first = await firstModelState(
      path,
      path === undefined ? undefined : this.services.models.cached(path),
    );
    const model = first.state === 'reading' ? await this.readModel(path!) : first;
    const unusable = await this.services.models.unusable(await inputFilesOf(doc));
    return analyze(checkWithTrials(doc), { ...(await this.sources()), model, unusable });
  }

  dispose(): void {
    for (const live of this.open.values()) clearTimeout(live.timer);
    this.changed.dispose();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private live(document: vscode.TextDocument): Live {
    const key = document.uri.toString();
    const live = this.open.get(key) ?? { version: -1 };
    this.open.set(key, live);
    return live;
  }

  private close(document: vscode.TextDocument): void {
    const key = document.uri.toString();
    clearTimeout(this.open.get(key)?.timer);
    this.open.delete(key);
  }

  private schedule(document: vscode.TextDocument, wait: number): void {
    if (!isExperiment(document)) return;
    const live = this.live(document);
    clearTimeout(live.timer);
    live.timer = setTimeout(() => {
      this.update(document).catch((e: unknown) => this.services.log.error(e as Error));
    }, wait);
  }

  private update(document: vscode.TextDocument): Promise<Analysis> {
    const live = this.live(document);
    live.version = document.version;
    live.analysis = this.analyze(document, live);
    return live.analysis;
  }

  /** First with the immediately known facts, then with the model and its tokenizer, which may take a while to read. */
  private async analyze(document: vscode.TextDocument, live: Live): Promise<Analysis> {
    const { version, fileName } = document;
    const doc = new ExperimentText(fileName, document.getText());
    const sources = await this.sources();
    const path = await modelPathOf(doc);
    const first = await firstModelState(
      path,
      path === undefined ? undefined : this.services.models.cached(path),
    );
    const inputs = await inputFilesOf(doc);
    const before = this.services.models.cachedUnusable(inputs);
    const checked = checkWithTrials(doc);
    const analysis = await analyze(checked, { ...sources, model: first, unusable: before });
    this.publish(document, live, version, analysis);
    if (path !== undefined && first.state !== 'missing')
      void Promise.all([this.readModel(path), this.services.models.unusable(inputs)])
        .then(async ([model, unusable]) => {
          const same =
            'summary' in first &&
            'summary' in model &&
            first.summary === model.summary &&
            JSON.stringify(before) === JSON.stringify(unusable);
          if (live.version !== version || same) return;
          const whole = analyze(checked, { ...sources, model, unusable });
          live.analysis = whole;
          this.publish(document, live, version, await whole);
        })
        .catch((e: unknown) => this.services.log.error(e as Error));
    return analysis;
  }

  private async sources(): Promise<Omit<Sources, 'model' | 'unusable'>> {
    return {
      known: await this.files.all(),
      head: (path: string, options: HeadOptions) => this.heads.read(path, options),
    };
  }

  private async readModel(path: string): Promise<ModelState> {
    try {
      return { state: 'known', summary: await this.services.models.inspect(path) };
    } catch (e) {
      const error = e instanceof AuroraError ? e : new AuroraError('failed', String(e));
      if (error.message !== this.logged) this.services.log.warn(error.message);
      this.logged = error.message;
      return { state: 'failed', error };
    }
  }

  private publish(document: vscode.TextDocument, live: Live, version: number, analysis: Analysis): void {
    if (live.version !== version || document.isClosed) return;
    live.latest = analysis;
    const { findings, adapter, trials, model } = analysis;
    const shown = JSON.stringify([
      version,
      findings,
      adapter,
      trials,
      model.state,
      'error' in model && model.error.message,
    ]);
    if (shown === live.shown) return;
    live.shown = shown;
    this.changed.fire(document);
  }
}
