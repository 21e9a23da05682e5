import { basename } from 'node:path';
import { count } from '../base/number-text';
import { damaged } from '../files/json';
import { runPaths } from './layout';
import { MOST_BYTES, SUMMARY_PARSERS, type RunSummary } from './run-summary';
import { PATIENT, versionOf, type RunFiles } from './run-files';

type Part = keyof typeof SUMMARY_PARSERS;
const PARTS = Object.keys(SUMMARY_PARSERS) as Part[];

/** The memory that the files of several runs may take together. */
export interface Room {
  /** @throws AuroraError 'run' if a file of `after` bytes does not fit in place of one of `before` */
  replace(before: number, after: number, path: string): void;
}

interface Parsed {
  /** The version of the file that was parsed; '' if it was missing. */
  version: string;
  /** Bytes of the file. */
  size: number;
  value: unknown;
}

/**
 * Reads a run's summary (`readRunSummary`) repeatedly without blocking: reads and parses a file only if its size, time
 * or inode has changed.
 */
export class SummaryReader {
  private readonly parsed = new Map<Part, Parsed>();
  private last: RunSummary | undefined;

  /** @param kept the memory that all runs of a window share */
  constructor(
    readonly folder: string,
    private readonly kept?: Room,
  ) {}

  /** Forgets the content that was read. */
  forget(): void {
    for (const [part, { size }] of this.parsed) this.kept?.replace(size, 0, runPaths(this.folder)[part]);
    this.parsed.clear();
    this.last = undefined;
  }

  /**
   * The current summary; the same object as before if nothing has changed. Throws AuroraError (`run`) if a file is
   * missing or damaged.
   */
  async read(files: RunFiles = PATIENT): Promise<RunSummary> {
    const fresh = await Promise.all(PARTS.map((part) => this.refresh(part, files)));
    if (this.last && !fresh.includes(true)) return this.last;
    const value = (part: Part) => this.parsed.get(part)!.value;
    return (this.last = {
      folder: this.folder,
      id: basename(this.folder),
      spec: value('spec') as RunSummary['spec'],
      events: value('events') as RunSummary['events'],
      status: value('status') as RunSummary['status'],
      result: value('result') as RunSummary['result'],
    });
  }

  private async refresh(part: Part, files: RunFiles): Promise<boolean> {
    const path = runPaths(this.folder)[part];
    const facts = await files.stat(path);
    const version = versionOf(facts);
    const before = this.parsed.get(part);
    if (before?.version === version) return false;
    const size = facts?.size ?? 0;
    const most = MOST_BYTES[part];
    if (size > most) throw damaged(path, `has ${count(size)} bytes, and at most ${count(most)} are read`);
    this.kept?.replace(before?.size ?? 0, size, path);
    // Kept only if it can be parsed: a damaged file is reported every time, and read again once it is intact.
    this.parsed.delete(part);
    try {
      const bytes = version === '' ? undefined : await files.read(path, most);
      this.parsed.set(part, { version, size, value: SUMMARY_PARSERS[part](this.folder, bytes) });
    } catch (e) {
      this.kept?.replace(size, 0, path);
      throw e;
    }
    return true;
  }
}

/** Changes whenever the file is replaced or appended to; '' if it is missing. */
export const fileVersion = async (path: string): Promise<string> => versionOf(await PATIENT.stat(path));
