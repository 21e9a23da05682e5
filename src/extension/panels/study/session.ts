import { FilesNow } from '../../../runs/files-now';
import { predictionsFile } from '../../../runs/predictions';
import type { RunSummary } from '../../../runs/read';
import { geometryFile, mergedFile } from '../../../runs/study/kept';
import { studyRun } from '../../../runs/study/study-run';
import { fileVersion } from '../../../runs/summary-reader';
import type { StudyFromHost, StudyFromPage, StudySettings } from '../../../study/panel';
import type { StudyRun, UnfitRun } from '../../../study/run';
import type { Say } from '../../../study/say';
import type { Study } from '../../../study/study';
import { eachLimited } from '../../runs/each-limited';
import { errorText } from '../../words/error-text';

/** Maximum bytes of a file that the extension host may read to check whether it changed. */
const LARGEST_HASHED = 64 * 2 ** 20;

/** Loaded when there is something to compare: it is larger than the rest of the panel. */
const computing = () => import('../../../study/computing');

/** Run folders read in parallel. */
const AT_ONCE = 8;

/** A run as the store has it. */
export interface KnownRun {
  folder: string;
  name: string;
  /** Undefined if it cannot be read. */
  run?: RunSummary;
}

/** The editor's side, so that the rest runs without VS Code. */
export interface StudyHost {
  post(message: StudyFromHost): void;
  runs(): Promise<{ title: string; runs: KnownRun[] }>;
  /** vscode.l10n.t */
  say: Say;
  /** Has the program measure what these runs lack; resolves when that has ended, whatever the result. */
  measure(runs: readonly string[]): Promise<void>;
  /** Asks for a folder and writes the files there. */
  export(title: string, files: ReadonlyMap<string, string>): Promise<void>;
  copy(text: string): void;
  failed(error: unknown): void;
}

/** Serves one page its runs as a study. */
export class StudySession {
  private settings: StudySettings = {};
  private readonly known = new Map<string, { version: unknown[]; run: StudyRun | UnfitRun }>();
  private shown: { title: string; study: Study } | undefined;
  /** Counts requests, so that outdated answers are dropped. */
  private turn = 0;
  private disposed = false;

  constructor(private readonly host: StudyHost) {}

  dispose(): void {
    this.disposed = true;
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

  /** Reads what has changed and sends everything. */
  refresh(): void {
    const turn = ++this.turn;
    Promise.all([this.read(), computing()]).then(
      ([shown, { plainStudy, shownOf }]) => {
        if (turn !== this.turn || this.disposed) return;
        this.shown = shown;
        this.host.post({ type: 'study', title: shown.title, study: plainStudy(shownOf(shown.study)) });
      },
      (e: unknown) => {
        this.host.failed(e);
        if (turn === this.turn && !this.disposed) this.host.post({ type: 'error', message: errorText(e) });
      },
    );
  }

  private async read(): Promise<{ title: string; study: Study }> {
    const { title, runs } = await this.host.runs();
    const read = new Map<string, StudyRun | UnfitRun>();
    const now = new FilesNow();
    await eachLimited(runs, AT_ONCE, async (run) => void read.set(run.folder, await this.runOf(run, now)));
    const all = runs.map((r) => read.get(r.folder)!);
    const { studyOf } = await computing();
    return { title, study: studyOf(all, this.settings, this.host.say) };
  }

  /** Read again only if the run, its name or its measurements have changed. */
  private async runOf({ folder, name, run }: KnownRun, now: FilesNow): Promise<StudyRun | UnfitRun> {
    if (!run) return { folder, name, unfit: 'damaged' };
    const step = run.events.findLast((e) => e.kind === 'evaluation')?.step ?? 0;
    const scored = run.events.findLast((e) => e.kind === 'test-evaluation');
    const files = [
      geometryFile(folder),
      mergedFile(folder, step),
      predictionsFile(folder, step),
      ...(scored ? [predictionsFile(folder, scored.step, 'test')] : []),
    ];
    const version = [run, name, ...(await Promise.all(files.map(fileVersion)))];
    const before = this.known.get(folder);
    if (before?.version.every((v, i) => v === version[i])) return before.run;
    const read = await studyRun(run, name, { largest: LARGEST_HASHED, now });
    this.known.set(folder, { version, run: read });
    return read;
  }

  private async measure(): Promise<void> {
    if (!this.shown) return;
    const runs = new Set(this.shown.study.missing.flatMap((m) => m.runs));
    await this.host.measure([...runs]);
    this.refresh();
  }

  private async export(): Promise<void> {
    if (!this.shown) return;
    const { title, study } = this.shown;
    const { reportFiles } = await computing();
    await this.host.export(title, reportFiles(study, title, this.host.say));
  }
}
