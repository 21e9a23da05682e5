import type { PageStudy } from '../../../study/page-study';
import type { StudyFromHost, StudyFromPage, StudySettings } from '../../../study/study-messages';
import type { StudyWorker } from '../../study-worker/ask-study-worker';
import type { AskedStudy } from '../../study-worker/study-questions';
import { errorText } from '../../words/error-text';

/** A run as the store has it. */
export interface KnownRun {
  folder: string;
  name: string;
  /** Another object whenever the run has changed; undefined if it cannot be read. */
  run?: object;
}

/** The editor's side, so that the rest runs without VS Code. */
export interface StudyHost {
  post(message: StudyFromHost): void;
  runs(): Promise<{ title: string; runs: KnownRun[] }>;
  /** Has the program measure the data that these runs lack; resolves when that has ended, whatever the result. */
  measure(runs: readonly string[]): Promise<void>;
  /** Asks for a folder and writes the files there. */
  export(title: string, files: ReadonlyMap<string, string>): Promise<void>;
  copy(text: string): void;
  failed(error: unknown): void;
}

/** Serves one page its runs as a study, which a worker computes. */
export class StudySession {
  private settings: StudySettings = {};
  private shown: { study: PageStudy; asked: Required<AskedStudy> } | undefined;
  private readonly versions = new WeakMap<object, number>();
  private lastVersion = 0;
  /** Something has changed since the runs were last asked for. */
  private stale = false;
  private computing = false;
  private disposed = false;
  /** The duration of the last study. */
  tookMs = 0;

  /** @param worker ends with the session */
  constructor(
    private readonly host: StudyHost,
    private readonly worker: StudyWorker,
  ) {}

  dispose(): void {
    this.disposed = true;
    this.worker.dispose();
  }

  receive(message: StudyFromPage): void {
    switch (message.type) {
      case 'settings':
        this.settings = message.settings;
        return this.refresh();
      case 'measure':
        return void this.measure().catch((e: unknown) => this.host.failed(e));
      case 'export':
        return void this.export().catch((e: unknown) => this.host.failed(e));
      case 'copy':
        return this.host.copy(message.text);
    }
  }

  /** Reads the changes and sends everything. Changes during the computation of a study are in the next one. */
  refresh(): void {
    this.stale = true;
    if (!this.computing) void this.compute();
  }

  private async compute(): Promise<void> {
    this.computing = true;
    while (this.stale && !this.disposed) {
      this.stale = false;
      const began = performance.now();
      try {
        await this.show();
      } catch (e) {
        this.host.failed(e);
        this.host.post({ type: 'error', message: errorText(e) });
      }
      this.tookMs = performance.now() - began;
    }
    this.computing = false;
  }

  private async show(): Promise<void> {
    const { settings } = this;
    const { title, runs } = await this.host.runs();
    // A question would start another worker, which nobody ends.
    if (this.disposed) return;
    const asked = { title, settings, runs: runs.map((run) => this.asked(run)) };
    const study = await this.worker.study({ settings, runs: asked.runs });
    // The page already shows others.
    if (settings !== this.settings) return;
    this.shown = { study, asked };
    this.host.post({ type: 'study', title, study });
  }

  private asked({ folder, name, run }: KnownRun): AskedStudy['runs'][number] {
    if (!run) return { folder, name };
    const version = this.versions.get(run) ?? ++this.lastVersion;
    this.versions.set(run, version);
    return { folder, name, version };
  }

  private async measure(): Promise<void> {
    if (!this.shown) return;
    const runs = new Set(this.shown.study.missing.flatMap((m) => m.runs));
    await this.host.measure([...runs]);
    this.refresh();
  }

  private async export(): Promise<void> {
    if (!this.shown) return;
    const { asked } = this.shown;
    await this.host.export(asked.title, await this.worker.report(asked));
  }
}
