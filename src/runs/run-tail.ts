import { readdir } from 'node:fs/promises';
import { AuroraError } from '../base/errors';
import { parseJson } from '../files/json';
import { readIfThere } from '../files/read';
import type { RunEvent } from '../protocol/events';
import { parsePictures, type RunPictures } from '../protocol/run-files/pictures';
import { parseSamples, type RunSamples } from '../protocol/run-files/samples';
import { changedCurve, gapWords } from './curve/curve';
import { ScalarsTail } from './curve/scalars-tail';
import { runPaths, stepOfName } from './layout';
import { ResourcesTail } from './resources/resources-tail';
import { asAuroraError, RunReader } from './run-reader';
import type { RunSummary } from './run-summary';
import { picturesIndex } from './samples-and-pictures';
import { fileVersion } from './summary-reader';
import type { TrialOf } from './sweep/record';
import type { RunUser } from './user';

const CURVE_HINT = 'Restore the file from a copy; checkpoints and adapters are not affected.';

/** The change since the previous look. */
export interface TailChange {
  /** First record that is new, differs or is gone; undefined if none. */
  records?: number;
  /** First event (of `events`) that is new or differs; undefined if none. */
  events?: number;
  /** First record of resources.bin, likewise. */
  resources?: number;
  /** samples.json is new, differs or is gone. */
  samples?: true;
  /** pictures/index.json, likewise. */
  pictures?: true;
}

/**
 * Follows a run folder without blocking: each look reads only new content. Never throws: problems with the folder are
 * in `error`, and earlier data stay.
 */
export class RunTail {
  private readonly reader: RunReader;
  private readonly scalars: ScalarsTail;
  private readonly versions = { checkpoints: '', samples: '', pictures: '' };
  readonly resources: ResourcesTail;
  samples: RunSamples | undefined;
  pictures: RunPictures | undefined;
  summary: RunSummary | undefined;
  /** Steps of the checkpoints on disk, ascending. */
  checkpoints: number[] = [];
  /** The folder does not exist (any more). */
  gone = false;
  error: AuroraError | undefined;
  /** The damage to the curve; everything else can be read, and the run may continue. */
  curveError: AuroraError | undefined;
  private changedCurve: string | undefined;
  private curveChecked = false;
  /** The run ended before its experiment was read: `error` is the reason from its journal. */
  failedEarly = false;

  constructor(readonly folder: string) {
    this.reader = new RunReader(folder);
    this.scalars = new ScalarsTail(folder);
    this.resources = new ResourcesTail(folder);
  }

  /** The time when spec.json was written, in ms since 1970; NaN while it is missing or not needed. */
  get made(): number {
    return this.reader.made;
  }
  get user(): RunUser {
    return this.reader.user;
  }
  /** The sweep and trial that the run belongs to. */
  get trial(): TrialOf | undefined {
    return this.reader.trial;
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
  /** Records from `from` up to `to`, row by row, one float64 per column, in a new buffer. */
  rows(from: number, to?: number): Float64Array {
    return this.scalars.rows(from, to);
  }

  /** Call again only after the previous look has resolved. */
  async look(): Promise<TailChange> {
    const change: TailChange = {};
    const found = await this.reader.read();
    if (found.kind === 'newborn' && !this.summary) return change;
    this.gone = found.kind === 'gone';
    this.failedEarly = found.kind === 'failed' && !this.summary;
    if (found.kind === 'run') {
      // The journal first, so that records are never older than the events shown with them.
      change.events = firstNew(this.events, found.summary.events);
      this.summary = found.summary;
      this.error = await this.lookAtCheckpoints();
    } else this.error = found.error;
    if (!this.gone) {
      await this.lookAtRecords(change);
      await this.lookAtExtras(change);
    }
    return change;
  }

  /** Files beside the result: if one cannot be read, it counts as missing. */
  private async lookAtExtras(change: TailChange): Promise<void> {
    change.resources = await this.resources.look().catch(() => undefined);
    const samples = await this.changedFile('samples', runPaths(this.folder).samples, parseSamples);
    if (samples) {
      this.samples = samples.value;
      change.samples = true;
    }
    const pictures = await this.changedFile('pictures', picturesIndex(this.folder), parsePictures);
    if (pictures) {
      this.pictures = pictures.value;
      change.pictures = true;
    }
  }

  /** The current content of a file, if it changed since the last look; nothing once it is gone or damaged. */
  private async changedFile<T>(
    name: 'samples' | 'pictures',
    path: string,
    parse: (value: unknown) => T | undefined,
  ): Promise<{ value: T | undefined } | undefined> {
    const version = await fileVersion(path).catch(() => '');
    if (version === this.versions[name]) return undefined;
    this.versions[name] = version;
    const bytes = await readIfThere(path).catch(() => undefined);
    try {
      return { value: bytes && parse(parseJson(path, bytes)) };
    } catch {
      return { value: undefined };
    }
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

  /** Compares the curve with the newest checkpoint once, since that reads all of it; checks for gaps every time. */
  private async checkCurve(): Promise<void> {
    const newest = this.checkpoints.at(-1);
    if (!this.curveChecked && newest !== undefined) {
      this.curveChecked = true;
      const rows = (from: number, to: number) => this.rows(from, to);
      this.changedCurve = await changedCurve(this.folder, newest, this.records, rows).catch(() => undefined);
    }
    // A trainer that skipped a damaged checkpoint writes these steps again.
    const training = this.summary?.status?.state === 'running';
    const gap = this.scalars.gap(training ? undefined : newest);
    const path = runPaths(this.folder).scalars;
    const message = this.changedCurve ?? (gap && gapWords(path, gap));
    if (message !== this.curveError?.message)
      this.curveError = message === undefined ? undefined : new AuroraError('run', message, CURVE_HINT);
  }

  private async lookAtCheckpoints(): Promise<AuroraError | undefined> {
    const path = runPaths(this.folder).checkpoints;
    try {
      const version = await fileVersion(path);
      if (version === this.versions.checkpoints) return undefined;
      this.versions.checkpoints = version;
      const names = version === '' ? [] : await readdir(path);
      this.checkpoints = names
        .map(stepOfName)
        .filter((step) => step !== undefined)
        .sort((a, b) => a - b);
      return undefined;
    } catch (e) {
      return asAuroraError(e, this.folder);
    }
  }
}

/** Events carry their position in the journal, and a resume only removes some, so equal positions mean equal events. */
function firstNew(before: readonly RunEvent[], now: readonly RunEvent[]): number | undefined {
  if (before === now) return undefined;
  let same = 0;
  while (same < before.length && same < now.length && sameEvent(before[same], now[same])) same++;
  return same === before.length && same === now.length ? undefined : same;
}

const sameEvent = (a: RunEvent, b: RunEvent) => a.seq === b.seq && a.t === b.t && a.kind === b.kind;
