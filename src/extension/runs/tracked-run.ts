import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { earlyFailure } from '../../runs/early-failure';
import { parseJson } from '../../files/json';
import { experimentOf, runPaths } from '../../runs/layout';
import type { RunStatus } from '../../protocol/events';
import type { KeptBytes } from './kept-bytes';
import type { UnexpectedEnd } from '../../protocol/run-files/unexpected-end';
import type { ClusterTrial } from '../../protocol/run-files/cluster';
import { trialOf, type TrialOf } from '../../runs/sweep/record';
import { shownOnCluster } from '../../runs/sweep/cluster-file';
import { PATIENT, versionOf, type RunFiles } from '../../runs/run-files';
import { fileVersion, SummaryReader } from '../../runs/summary-reader';
import { MOST_USER_BYTES, userOf, type RunUser } from '../../runs/user';
import { AuroraError } from '../../base/errors';
import { bestValueOf } from './best-value';
import { isActive, shownState } from './shown-state';
import { stopReason } from './label';
import type { OnCluster, RunEntry, ShownState } from './store';

/** If a folder changed this recently, another change may have the same time stamp. */
const UNSETTLED_MS = 2000;
/** A trainer creates the folder first and writes spec.json next. */
const NEWBORN_MS = 10_000;

/** A run folder that is polled. */
export class TrackedRun {
  private readonly reader: SummaryReader;
  private readonly id: string;
  /** The folder's modification time at the last check: every replaced file, so every heartbeat, changes it. */
  private folderTime = NaN;
  private made = NaN;
  private userVersion = '';
  private user: RunUser = {};
  private trial: TrialOf | undefined;
  private name: string | undefined;
  private number: number | undefined;
  private cluster: OnCluster | undefined;
  /** The cluster's state in the entry. */
  private said: ClusterTrial | undefined;
  /** According to its folder. */
  private own: ShownState = 'damaged';
  entry: RunEntry | undefined;

  /** Characters of `user` and `trial`. */
  private readonly noted = { user: 0, trial: 0 };

  /** @param kept the memory that all runs of a window share */
  constructor(
    readonly folder: string,
    private readonly now: () => number = Date.now,
    private readonly kept?: KeptBytes,
  ) {
    this.reader = new SummaryReader(folder, kept);
    this.id = basename(folder);
  }

  get active(): boolean {
    return this.entry !== undefined && isActive(this.entry.state);
  }

  /** Checks the folder's modification time, and its files only if that changed. True if the entry changed. */
  async glance(): Promise<boolean> {
    if (this.active) return this.look();
    const time = await folderTime(this.folder, PATIENT);
    return time === this.folderTime && this.now() - time > UNSETTLED_MS ? false : this.look();
  }

  /** Checks every file. True if the entry changed; `entry` is undefined while the folder is not a run yet. */
  async look(files: RunFiles = PATIENT): Promise<boolean> {
    this.folderTime = await folderTime(this.folder, files);
    const before = this.entry;
    const entry = await this.read(files);
    this.entry = entry && this.onCluster(entry);
    return !sameEntry(before, this.entry);
  }

  /** Forgets the content that it has read, for good. */
  forget(): void {
    this.reader.forget();
    for (const part of ['user', 'trial'] as const) this.note(part, undefined);
  }

  /** @throws AuroraError if it does not fit */
  private note(part: 'user' | 'trial', value: object | undefined): void {
    const size = value === undefined ? 0 : JSON.stringify(value).length;
    this.kept?.replace(this.noted[part], size, runPaths(this.folder)[part]);
    this.noted[part] = size;
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
    const trial = this.readTrial();
    const base = {
      folder: this.folder,
      id: this.id,
      experiment: experimentOf(this.folder),
      user: await this.readUser(files),
      trial,
      number: this.number,
      name: this.name,
    };
    try {
      const run = await this.reader.read(files);
      // Runs are read in slices; the row of a sweep needs the values of thousands at once.
      bestValueOf(run);
      if (!run.status && Number.isNaN(this.made))
        this.made = (await files.stat(runPaths(this.folder).spec))?.mtimeMs ?? NaN;
      const state = shownState(run, this.made, this.now());
      const end = state === 'lost' && (await whyLost(run.folder, run.status));
      return { ...base, state, run, ...(end && { end }) };
    } catch (e) {
      const failed = await earlyFailure(this.folder);
      if (failed) {
        const error = new AuroraError('run', failed.message, failed.hint);
        return { ...base, state: 'failed', error: shortened(error) };
      }
      const time = this.folderTime;
      if (Number.isNaN(time) || (this.now() - time < NEWBORN_MS && (await isEmptyOfSpec(this.folder))))
        return undefined;
      const error = e instanceof AuroraError ? e : new AuroraError('run', `${this.folder}: ${String(e)}`);
      return { ...base, state: 'damaged', error: shortened(error) };
    }
  }

  /** Read once spec.json exists, which is written after it; it never changes. */
  private readTrial(): TrialOf | undefined {
    if (this.trial === undefined && this.entry?.run) return undefined;
    if (this.trial) return this.trial;
    const trial = trialOf(this.folder);
    try {
      this.note('trial', trial);
    } catch {
      // The run does not fit either, and reports it.
      return undefined;
    }
    return (this.trial = trial);
  }

  private async readUser(files: RunFiles): Promise<RunUser> {
    const path = runPaths(this.folder).user;
    try {
      const version = versionOf(await files.stat(path));
      if (version === this.userVersion) return this.user;
      const bytes = version === '' ? undefined : await files.read(path, MOST_USER_BYTES);
      const user = bytes && userOf(parseJson(path, bytes));
      this.note('user', user);
      this.user = user ?? {};
      this.userVersion = version;
    } catch {
      // A damaged note must not hide the run; the next edit rewrites the file.
      this.user = {};
    }
    return this.user;
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

/** NaN if the folder does not exist. */
async function folderTime(folder: string, files: RunFiles): Promise<number> {
  try {
    const s = await files.stat(folder);
    return s?.isDirectory() ? s.mtimeMs : NaN;
  } catch {
    return NaN;
  }
}

const isEmptyOfSpec = async (folder: string) =>
  (await fileVersion(runPaths(folder).spec).catch(() => 'there')) === '';
