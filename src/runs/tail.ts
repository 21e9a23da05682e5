import { readdir, stat } from 'node:fs/promises';
import { AuroraError } from '../base/errors';
import type { RunEvent } from '../protocol/events';
import { changedCurve } from './curve/check';
import { gapWords } from './curve/curve';
import { earlyFailure } from './early-failure';
import { parseJson } from '../files/json';
import { runPaths, stepOfName } from './layout';
import type { RunSummary } from './read';
import { ScalarsTail } from './curve/scalars-tail';
import { trialOf, type TrialOf } from './sweep/record';
import { fileVersion, SummaryReader } from './summary-reader';
import { readIfThere } from '../files/read';
import { userOf, type RunUser } from './user';

/** A trainer makes the folder first and writes spec.json next. */
const NEWBORN_MS = 10_000;

const CURVE_HINT = 'Restore the file from a copy; checkpoints and adapters are not affected.';

/** What the last look found to be new. */
export interface TailChange {
  /** First record that is new or differs, also where records went away; undefined where none did. */
  records?: number;
  /** First event (of `events`) that is new or differs; undefined where none did. */
  events?: number;
}

/**
 * Follows one run folder without blocking: a look reads only what is new since the last one. It throws
 * nothing: what is wrong with the folder is in `error`, and what was known before stays.
 */
export class RunTail {
  private readonly summaries: SummaryReader;
  private readonly scalars: ScalarsTail;
  private readonly versions = { user: '', checkpoints: '' };
  /** When spec.json was written, in ms since 1970; NaN while there is none. */
  made = NaN;
  summary: RunSummary | undefined;
  user: RunUser = {};
  /** Which trial of which sweep it is. */
  trial: TrialOf | undefined;
  /** Steps of the checkpoints that are on the disk, ascending. */
  checkpoints: number[] = [];
  /** The folder is not there (any more). */
  gone = false;
  error: AuroraError | undefined;
  /** What is wrong with the curve, though all else can be read and the run may go on. */
  curveError: AuroraError | undefined;
  private changedCurve: string | undefined;
  private curveChecked = false;
  /** It ended before its experiment was read: `error` is what its journal says of that. */
  failedEarly = false;

  constructor(readonly folder: string) {
    this.summaries = new SummaryReader(folder);
    this.scalars = new ScalarsTail(folder);
  }

  get events(): readonly RunEvent[] {
    return this.summary?.events ?? [];
  }
  get columns(): readonly string[] {
    return this.scalars.columns;
  }
  get records(): number {
    return this.scalars.records;
  }
  /** Records from `from` up to `to`, row by row, a float64 a column, in a buffer of their own. */
  rows(from: number, to?: number): Float64Array {
    return this.scalars.rows(from, to);
  }

  /** One look at a time: the next may start when this one has resolved. */
  async look(): Promise<TailChange> {
    const change: TailChange = {};
    this.failedEarly = false;
    try {
      if (await this.isNewborn()) return change;
      // The journal first: records are never older than the events that are shown with them.
      const eventsBefore = this.events;
      this.summary = await this.summaries.read();
      change.events = firstNew(eventsBefore, this.events);
      if (Number.isNaN(this.made)) {
        this.made = (await stat(runPaths(this.folder).spec)).mtimeMs;
        // Written before spec.json, and never changed.
        this.trial = trialOf(this.folder);
      }
      await this.lookAtUser();
      await this.lookAtCheckpoints();
      this.error = undefined;
    } catch (e) {
      this.error = asAuroraError(e, this.folder);
    }
    if (this.error && !this.summary && !this.gone) await this.lookAtEarlyFailure();
    if (!this.gone) await this.lookAtRecords(change);
    return change;
  }

  private async lookAtRecords(change: TailChange): Promise<void> {
    const before = this.records;
    try {
      const from = await this.scalars.look();
      if (from < before || this.records !== before) change.records = from;
    } catch (e) {
      this.error ??= asAuroraError(e, this.folder);
      if (this.records !== before) change.records = Math.min(before, this.records);
    }
    await this.checkCurve();
  }

  /** Against the newest checkpoint once, since that reads all of it; for gaps every time. */
  private async checkCurve(): Promise<void> {
    const newest = this.checkpoints.at(-1);
    if (!this.curveChecked && newest !== undefined) {
      this.curveChecked = true;
      const rows = (from: number, to: number) => this.rows(from, to);
      this.changedCurve = await changedCurve(this.folder, newest, this.records, rows).catch(() => undefined);
    }
    // A trainer that has passed over a damaged checkpoint writes these steps again.
    const training = this.summary?.status?.state === 'running';
    const gap = this.scalars.gap(training ? undefined : newest);
    const path = runPaths(this.folder).scalars;
    const message = this.changedCurve ?? (gap && gapWords(path, gap));
    if (message !== this.curveError?.message)
      this.curveError = message === undefined ? undefined : new AuroraError('run', message, CURVE_HINT);
  }

  /** True while the folder was just made and holds no spec.json. AuroraError where there is no folder. */
  private async isNewborn(): Promise<boolean> {
    const there = await stat(this.folder).catch(() => undefined);
    this.gone = !there?.isDirectory();
    if (this.gone)
      throw new AuroraError(
        'run',
        `The run folder ${this.folder} is gone.`,
        'It was deleted or moved; a deleted run can be brought back from .aurora/trash.',
      );
    if (this.summary || Date.now() - there!.mtimeMs > NEWBORN_MS) return false;
    if ((await fileVersion(runPaths(this.folder).spec)) !== '') return false;
    return (await earlyFailure(this.folder)) === undefined;
  }

  private async lookAtEarlyFailure(): Promise<void> {
    const failed = await earlyFailure(this.folder);
    if (!failed) return;
    this.failedEarly = true;
    this.error = new AuroraError('run', failed.message, failed.hint);
    await this.lookAtUser().catch(() => undefined);
  }

  private async lookAtUser(): Promise<void> {
    const path = runPaths(this.folder).user;
    const version = await fileVersion(path);
    if (version === this.versions.user) return;
    this.versions.user = version;
    const bytes = await readIfThere(path);
    try {
      this.user = bytes ? userOf(parseJson(path, bytes)) : {};
    } catch {
      // A damaged note must not hide the run; the next edit writes the file anew.
      this.user = {};
    }
  }

  private async lookAtCheckpoints(): Promise<void> {
    const path = runPaths(this.folder).checkpoints;
    const version = await fileVersion(path);
    if (version === this.versions.checkpoints) return;
    this.versions.checkpoints = version;
    const names = version === '' ? [] : await readdir(path);
    this.checkpoints = names
      .map(stepOfName)
      .filter((step) => step !== undefined)
      .sort((a, b) => a - b);
  }
}

/** Events carry their place in the journal, and a resume only takes some away: equal places are equal events. */
function firstNew(before: readonly RunEvent[], now: readonly RunEvent[]): number | undefined {
  if (before === now) return undefined;
  let same = 0;
  while (same < before.length && same < now.length && sameEvent(before[same], now[same])) same++;
  return same === before.length && same === now.length ? undefined : same;
}

const sameEvent = (a: RunEvent, b: RunEvent) => a.seq === b.seq && a.t === b.t && a.kind === b.kind;

const asAuroraError = (e: unknown, folder: string): AuroraError =>
  e instanceof AuroraError
    ? e
    : new AuroraError('run', `${folder} could not be read: ${(e as Error).message}.`, undefined, {
        cause: e,
      });
