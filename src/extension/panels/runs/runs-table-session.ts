import { basename, dirname } from 'node:path';
import { experimentName, experimentSweeps } from '../../../runs/layout';
import { runLabel } from '../../../runs/run-labels';
import { runSource } from '../../../runs/runs-table';
import { ColumnFinder, rowOf } from '../../../study/runs-table/runs-columns';
import { runFields, type RunFields } from '../../../study/runs-table/fields';
import type { RunsFromHost, RunsFromPage, RunsOpen } from '../../../study/runs-table/runs-messages';
import {
  changeSaved,
  type SavedChange,
  type SavedView,
  type TableView,
} from '../../../study/runs-table/saved-views';
import type { Column, Row } from '../../../study/runs-table/table';
import type { RunEntry } from '../../runs/store';
import { capabilities } from '../../words/run-row';
import { Curves, LiveLosses } from './live-curves';

/** Runs handled before other work of the host gets its turn; a few milliseconds. */
const AT_A_TIME = 250;
/** The number of rows that a window shows. */
const FIRST = 50;
/** Rows of a message. */
const ROWS_PER_MESSAGE = 1000;
/** Between updates of running runs, which change several times a second. */
const SETTLE_MS = 250;

/** The editor's side, so that the rest runs without VS Code. */
export interface TableHost {
  title: string;
  post(message: RunsFromHost): void;
  /** The runs known so far, without waiting. */
  known(): readonly RunEntry[];
  /** All runs, once they have been read. */
  runs(): Promise<readonly RunEntry[]>;
  view(): TableView;
  keep(view: TableView): void;
  /** The workspace's saved views, which all its tables share. */
  saved(): SavedView[];
  /** Sends the views to every table, this one too, by `savedChanged`. */
  keepSaved(views: SavedView[]): void;
  /** True if code may be executed here. */
  trusted(): boolean;
  /** Executes requests that need VS Code. */
  obey(message: Exclude<RunsFromPage, SavedChange | { type: 'view' | 'overlay' | 'curves' }>): void;
  failed(error: unknown): void;
}

interface Known {
  entry: RunEntry;
  fields: RunFields;
  trusted: boolean;
  /** Read since its row was last sent. */
  fresh: boolean;
  /** Its cells as sent; most changes of a run do not affect them. */
  sent?: string;
}

/** Serves a page the runs of one scope: everything on request, then the changes. */
export class RunsSession {
  private readonly runs = new Map<string, Known>();
  private finder = new ColumnFinder();
  /** The columns as sent, for the comparison. */
  private columns: { list: Column[]; text: string } = { list: [], text: '' };
  private readonly curves: Curves;
  private readonly losses = new LiveLosses();
  /** The commands for runs: few different lists. */
  private readonly can: string[] = [];
  private visible = false;
  private whole = false;
  private complete = false;
  private timer: NodeJS.Timeout | undefined;
  /** The time when the timer ends, in ms. */
  private due = 0;
  private working: Promise<void> = Promise.resolve();
  private disposed = false;

  constructor(
    private readonly open: RunsOpen,
    private readonly host: TableHost,
  ) {
    this.curves = new Curves(
      (curves) => host.post({ type: 'curves', curves }),
      (folder) => this.runs.get(folder)?.entry,
    );
  }

  /** Sends everything: the known rows at once, and the rest when it has been read. */
  snapshot(): void {
    this.visible = true;
    this.whole = true;
    this.host.post({
      type: 'table',
      title: this.host.title,
      columns: this.columns.list,
      view: this.host.view(),
    });
    this.savedChanged();
    this.curves.show();
    this.update(0);
    if (this.complete) return;
    this.host.runs().then(
      () => {
        this.complete = true;
        this.update(0);
      },
      (e: unknown) => this.host.failed(e),
    );
  }

  savedChanged(): void {
    if (this.visible) this.host.post({ type: 'views', views: this.host.saved() });
  }

  hidden(): void {
    this.visible = false;
    this.curves.hide();
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.timer);
    this.curves.dispose();
  }

  receive(message: RunsFromPage): void {
    switch (message.type) {
      case 'view':
        return this.host.keep(message.view);
      case 'saveView':
      case 'renameView':
      case 'deleteView':
        return this.host.keepSaved(changeSaved(this.host.saved(), message));
      case 'overlay':
        // Only runs that this table has, whatever the page sends.
        return this.curves.set(message.runs.filter((run) => this.runs.has(run) || !this.complete));
      case 'curves':
        return this.curves.again(message.run);
      default:
        return this.host.obey(message);
    }
  }

  /** Runs have changed, appeared or disappeared. */
  changed(): void {
    this.update(this.runs.size === 0 ? 0 : SETTLE_MS);
  }

  private update(after: number): void {
    const due = performance.now() + after;
    if (this.timer && this.due <= due) return;
    clearTimeout(this.timer);
    this.due = due;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (!this.visible || this.disposed) return;
      this.working = this.working.then(() => this.send()).catch((e: unknown) => this.host.failed(e));
    }, after);
  }

  private async send(): Promise<void> {
    const { complete } = this;
    const entries = (complete ? await this.host.runs() : this.host.known()).filter((r) => isIn(this.open, r));
    const gone = complete ? this.forget(entries) : [];
    // The first rows are on the page long before thousands of others have been read.
    if (this.runs.size === 0 && entries.length > FIRST) {
      await this.read(entries.slice(0, FIRST));
      await this.sendRead([], false);
    }
    await this.read(entries);
    await this.sendRead(gone, complete);
  }

  private async sendRead(gone: string[], complete: boolean): Promise<void> {
    if (!this.visible || this.disposed) return;
    const columns = this.finder.columns();
    const text = JSON.stringify(columns);
    if (text !== this.columns.text || this.whole) {
      this.columns = { list: columns, text };
      this.host.post({ type: 'table', title: this.host.title, columns });
      for (const known of this.runs.values()) {
        known.sent = undefined;
        known.fresh = true;
      }
      this.whole = false;
    }
    await this.sendRows(gone, complete);
  }

  private forget(entries: readonly RunEntry[]): string[] {
    const there = new Set(entries.map((r) => r.folder));
    const gone = [...this.runs.keys()].filter((folder) => !there.has(folder));
    for (const folder of gone) {
      this.runs.delete(folder);
      this.losses.forget(folder);
    }
    return gone;
  }

  /** Reads the changes, with pauses. */
  private async read(entries: readonly RunEntry[]): Promise<void> {
    let read = 0;
    const trusted = this.host.trusted();
    for (const entry of entries) {
      const known = this.runs.get(entry.folder);
      const before = this.losses.last(entry.folder);
      const loss = this.losses.follows(entry) ? await this.losses.read(entry) : before;
      if (known && isSame(known.entry, entry) && known.trusted === trusted && loss === before) continue;
      const fields = runFields({
        ...sourceOf(entry),
        trainingLoss: loss,
      });
      this.finder.add(fields);
      const sent = known?.sent;
      this.runs.set(entry.folder, {
        entry,
        fields,
        trusted,
        fresh: true,
        sent,
      });
      if (++read % AT_A_TIME === 0) await pause();
    }
  }

  private async sendRows(gone: string[], complete: boolean): Promise<void> {
    let rows: Row[] = [];
    let looked = 0;
    for (const known of this.runs.values()) {
      if (!known.fresh) continue;
      known.fresh = false;
      const row = { ...rowOf(known.fields, this.columns.list), can: this.canOf(known) };
      const text = JSON.stringify([row.cells, row.can]);
      if (text !== known.sent) rows.push(row);
      known.sent = text;
      if (rows.length === ROWS_PER_MESSAGE) {
        this.host.post({ type: 'rows', rows, gone: [], reading: true, can: this.can });
        rows = [];
      }
      if (++looked % AT_A_TIME === 0) await pause();
      if (!this.visible || this.disposed) return;
    }
    this.host.post({ type: 'rows', rows, gone, reading: !complete, can: this.can });
  }

  private canOf({ entry, trusted }: Known): number {
    const words = capabilities(entry, trusted).join(' ');
    const at = this.can.indexOf(words);
    return at >= 0 ? at : this.can.push(words) - 1;
  }
}

const pause = () => new Promise((resolve) => setImmediate(resolve));

/** The store makes a new entry whenever it has looked at a run. */
const isSame = (a: RunEntry, b: RunEntry): boolean =>
  a === b ||
  (a.state === b.state &&
    a.run === b.run &&
    a.user === b.user &&
    a.trial === b.trial &&
    a.name === b.name &&
    a.number === b.number);

function isIn(open: RunsOpen, { experiment, trial }: RunEntry): boolean {
  if ('experiment' in open) return experiment === open.experiment;
  if ('sweep' in open)
    return trial?.sweep === basename(open.sweep) && experimentSweeps(experiment) === dirname(open.sweep);
  return true;
}

const sourceOf = (entry: RunEntry) =>
  runSource({ ...entry, name: runLabel(entry), experiment: experimentName(entry.experiment) });
