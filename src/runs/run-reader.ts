import { AuroraError } from '../base/errors';
import { parseJson } from '../files/json';
import { readIfThere } from '../files/read';
import { effectiveEvents, parseJournal } from './journal/journal-reader';
import { runPaths } from './layout';
import { MOST_BYTES, type RunSummary } from './run-summary';
import { PATIENT, versionOf, type RunFiles } from './run-files';
import { fileVersion, SummaryReader, type Room } from './summary-reader';
import { trialOf, type TrialOf } from './sweep/record';
import { MOST_USER_BYTES, userOf, type RunUser } from './user';

/** A trainer creates the folder first and writes spec.json next, within this time. */
const NEWBORN_MS = 10_000;

/**
 * A run folder as it was read. `newborn`: it was just created and has no spec.json yet. `failed`: the run ended before its
 * experiment was read, and only its journal has the reason, which is the error.
 */
export type RunFound =
  | { kind: 'run'; summary: RunSummary }
  | { kind: 'gone' | 'newborn' | 'failed' | 'damaged'; error: AuroraError };

/**
 * Reads a run folder repeatedly without blocking, and of its files only those that have changed: the summary, the user's
 * notes, and the trial of a sweep. Everything that lists or shows a run reads it here.
 */
export class RunReader {
  private readonly summaries: SummaryReader;
  /** The folder's modification time at the last read, NaN without a folder: every replaced file changes it. */
  folderTime = NaN;
  /** The time when spec.json was written, in ms since 1970. NaN before that, and for a run that had a status at once. */
  made = NaN;
  user: RunUser = {};
  /** The sweep and trial that the run belongs to. */
  trial: TrialOf | undefined;
  private userVersion = '';
  private hasTrialBeenRead = false;
  /** Characters of `user` and `trial`. */
  private readonly noted = { user: 0, trial: 0 };

  /** @param kept the memory that all runs of a window share */
  constructor(
    readonly folder: string,
    private readonly kept?: Room,
    private readonly now: () => number = Date.now,
  ) {
    this.summaries = new SummaryReader(folder, kept);
  }

  /** Forgets the content that it has read, for good. */
  forget(): void {
    this.summaries.forget();
    for (const part of ['user', 'trial'] as const) this.note(part, undefined);
  }

  /** Never rejects. */
  async read(files: RunFiles = PATIENT): Promise<RunFound> {
    const { folder } = this;
    this.folderTime = await folderTime(folder, files);
    if (Number.isNaN(this.folderTime))
      return {
        kind: 'gone',
        error: new AuroraError(
          'run',
          `The run folder ${folder} is gone.`,
          'It was deleted or moved. Restore a deleted run from .aurora/trash.',
        ),
      };
    await this.readUser(files);
    try {
      const summary = await this.summaries.read(files);
      this.readTrial();
      // Written before spec.json, and never changed.
      this.hasTrialBeenRead = true;
      if (!summary.status && Number.isNaN(this.made))
        this.made = (await files.stat(runPaths(folder).spec))?.mtimeMs ?? NaN;
      return { kind: 'run', summary };
    } catch (e) {
      this.readTrial();
      return this.unread(asAuroraError(e, folder));
    }
  }

  private async unread(error: AuroraError): Promise<RunFound> {
    const { spec, events } = runPaths(this.folder);
    if ((await fileVersion(spec).catch(() => 'there')) !== '') return { kind: 'damaged', error };
    try {
      const bytes = await readIfThere(events, MOST_BYTES.events);
      const failed =
        bytes && effectiveEvents(parseJournal(bytes, events)).findLast((e) => e.kind === 'failed');
      if (failed) return { kind: 'failed', error: new AuroraError('run', failed.message, failed.hint) };
    } catch {
      // The run is damaged, as its error says.
    }
    return { kind: this.now() - this.folderTime < NEWBORN_MS ? 'newborn' : 'damaged', error };
  }

  private readTrial(): void {
    if (this.hasTrialBeenRead || this.trial) return;
    const trial = trialOf(this.folder);
    try {
      this.note('trial', trial);
      this.trial = trial;
    } catch {
      // The run does not fit either, and reports it.
    }
  }

  private async readUser(files: RunFiles): Promise<void> {
    const path = runPaths(this.folder).user;
    try {
      const version = versionOf(await files.stat(path));
      if (version === this.userVersion) return;
      const bytes = version === '' ? undefined : await files.read(path, MOST_USER_BYTES);
      const user = bytes && userOf(parseJson(path, bytes));
      this.note('user', user);
      this.user = user ?? {};
      this.userVersion = version;
    } catch {
      // A damaged note must not hide the run; the next edit rewrites the file.
      this.user = {};
    }
  }

  /** @throws AuroraError if it does not fit */
  private note(part: 'user' | 'trial', value: object | undefined): void {
    const size = value === undefined ? 0 : JSON.stringify(value).length;
    this.kept?.replace(this.noted[part], size, runPaths(this.folder)[part]);
    this.noted[part] = size;
  }
}

/** The modification time of a folder; NaN if it does not exist. */
export async function folderTime(folder: string, files: RunFiles): Promise<number> {
  try {
    const s = await files.stat(folder);
    return s?.isDirectory() ? s.mtimeMs : NaN;
  } catch {
    return NaN;
  }
}

export const asAuroraError = (e: unknown, folder: string): AuroraError =>
  e instanceof AuroraError
    ? e
    : new AuroraError('run', `${folder} could not be read: ${(e as Error).message}.`, undefined, {
        cause: e,
      });
