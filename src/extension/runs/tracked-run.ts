import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { AuroraError } from '../../base/errors';
import { count } from '../../base/number-text';
import type { RunStatus } from '../../protocol/events';
import type { ClusterTrial } from '../../protocol/run-files/cluster';
import type { UnexpectedEnd } from '../../protocol/run-files/unexpected-end';
import { experimentOf } from '../../runs/layout';
import { shownState } from '../../runs/outcome';
import { PATIENT, type RunFiles } from '../../runs/run-files';
import { folderTime, RunReader } from '../../runs/run-reader';
import { shownOnCluster } from '../../runs/sweep/cluster-file';
import { bestValueOf, stopReason } from './label';
import { isActive } from './shown-state';
import type { OnCluster, RunEntry, ShownState } from './store';

/** If a folder changed this recently, another change may have the same time stamp. */
const UNSETTLED_MS = 2000;

/** A run folder that is polled. */
export class TrackedRun {
  private readonly reader: RunReader;
  private readonly id: string;
  private name: string | undefined;
  private number: number | undefined;
  private cluster: OnCluster | undefined;
  /** The cluster's state in the entry. */
  private said: ClusterTrial | undefined;
  /** According to its folder. */
  private own: ShownState = 'damaged';
  entry: RunEntry | undefined;

  /** @param kept the memory that all runs of a window share */
  constructor(
    readonly folder: string,
    private readonly now: () => number = Date.now,
    kept?: KeptBytes,
  ) {
    this.reader = new RunReader(folder, kept, now);
    this.id = basename(folder);
  }

  get active(): boolean {
    return this.entry !== undefined && isActive(this.entry.state);
  }

  /** Checks the folder's modification time, and its files only if that changed. True if the entry changed. */
  async glance(): Promise<boolean> {
    if (this.active) return this.look();
    const time = await folderTime(this.folder, PATIENT);
    return time === this.reader.folderTime && this.now() - time > UNSETTLED_MS ? false : this.look();
  }

  /** Checks every file. True if the entry changed; `entry` is undefined while the folder is not a run yet. */
  async look(files: RunFiles = PATIENT): Promise<boolean> {
    const before = this.entry;
    const entry = await this.read(files);
    this.entry = entry && this.onCluster(entry);
    return !sameEntry(before, this.entry);
  }

  /** Forgets the content that it has read, for good. */
  forget(): void {
    this.reader.forget();
  }

  /** Sets its name among the experiment's runs. True if the entry changed. */
  rename(name: string): boolean {
    if (this.name === name) return false;
    this.name = name;
    if (this.entry) this.entry = { ...this.entry, name };
    return this.entry !== undefined;
  }

  /** Sets its number in the experiment. True if the entry changed. */
  count(number: number | undefined): boolean {
    if (this.number === number || number === undefined) return false;
    this.number = number;
    if (this.entry) this.entry = { ...this.entry, number };
    return this.entry !== undefined;
  }

  /** Sets its state according to a cluster's scheduler. True if the entry changed. */
  schedule(of: Pick<OnCluster, 'executor' | 'keepsCheckpoints'>, trial: ClusterTrial | undefined): boolean {
    // Thousands of trials are scheduled again at each look, and few have changed.
    if (trial === this.said) return false;
    this.said = trial;
    const cluster = trial && { ...of, ...trial };
    if (isDeepStrictEqual(this.cluster, cluster)) return false;
    this.cluster = cluster;
    if (this.entry) this.entry = this.onCluster({ ...this.entry, state: this.own });
    return this.entry !== undefined;
  }

  private onCluster(entry: RunEntry): RunEntry {
    const { cluster } = this;
    this.own = entry.state;
    if (!cluster) return withoutCluster(entry);
    return { ...entry, state: shownOnCluster(entry.state, stopReason(entry.run), cluster), cluster };
  }

  private async read(files: RunFiles): Promise<RunEntry | undefined> {
    const found = await this.reader.read(files);
    if (found.kind === 'gone' || found.kind === 'newborn') return undefined;
    const { user, trial, made } = this.reader;
    const { folder, id, number, name } = this;
    const base = { folder, id, experiment: experimentOf(folder), user, trial, number, name };
    if (found.kind !== 'run') return { ...base, state: found.kind, error: shortened(found.error) };
    const run = found.summary;
    // Runs are read in slices; the row of a sweep needs the values of thousands at once.
    bestValueOf(run);
    const state = shownState(run, made, this.now());
    const end = state === 'lost' && (await whyLost(folder, run.status));
    return { ...base, state, run, ...(end && { end }) };
  }
}

/** Characters of an error, which may quote the file. */
const MOST_MESSAGE = 2000;

/** Without its cause, which would keep the file's content in memory. */
const shortened = ({ kind, message, hint }: AuroraError): AuroraError =>
  new AuroraError(kind, message.slice(0, MOST_MESSAGE), hint?.slice(0, MOST_MESSAGE));

function withoutCluster(entry: RunEntry): RunEntry {
  const rest = { ...entry };
  delete rest.cluster;
  return rest;
}

function sameEntry(a: RunEntry | undefined, b: RunEntry | undefined): boolean {
  if (!a || !b) return a === b;
  return (
    a.state === b.state &&
    a.run === b.run &&
    a.user === b.user &&
    a.error?.message === b.error?.message &&
    isDeepStrictEqual(a.end, b.end)
  );
}

/** Most windows have no lost run, and need none of its code to list the others. */
export async function whyLost(folder: string, status: RunStatus | undefined): Promise<UnexpectedEnd> {
  const { unexpectedEnd } = await import('../../runs/ended/unexpected');
  return unexpectedEnd(folder, status);
}

/** About 25,000 runs of a sweep. In memory, JSON takes a few times as much. */
const MOST_BYTES = 320 * 2 ** 20;

/** A small file takes more than its bytes. */
const LEAST_BYTES = 1024;

/**
 * The bytes of the files that the runs of a window keep in memory together: each is bounded, but a folder can have any
 * number of runs.
 */
export class KeptBytes {
  private kept = 0;

  constructor(private readonly most = MOST_BYTES) {}

  /**
   * A file of `before` bytes is replaced by one of `after`, 0 for none.
   *
   * @throws AuroraError 'run' if it does not fit; then nothing has changed
   */
  replace(before: number, after: number, path: string): void {
    const kept = this.kept - costOf(before) + costOf(after);
    if (after > before && kept > this.most)
      throw new AuroraError(
        'run',
        `${path} is not read: the runs here have more than ${count(this.most)} bytes together.`,
        'Delete runs, or move their folders elsewhere, and reload the window. `aurora runs` in a terminal lists more.',
      );
    this.kept = kept;
  }
}

const costOf = (bytes: number): number => (bytes === 0 ? 0 : Math.max(LEAST_BYTES, bytes));
