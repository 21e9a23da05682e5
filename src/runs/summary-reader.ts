import { basename } from 'node:path';
import { runPaths } from './layout';
import { SUMMARY_PARSERS, type RunSummary } from './read';
import { PATIENT, versionOf, type RunFiles } from './run-files';

type Part = keyof typeof SUMMARY_PARSERS;
const PARTS = Object.keys(SUMMARY_PARSERS) as Part[];

interface Parsed {
  /** The version of the file that was parsed; '' if it was missing. */
  version: string;
  value: unknown;
}

/**
 * Reads a run's summary (`readRunSummary`) repeatedly without blocking: reads and parses a file only if its size, time
 * or inode has changed.
 */
export class SummaryReader {
  private readonly parsed = new Map<Part, Parsed>();
  private last: RunSummary | undefined;

  constructor(readonly folder: string) {}

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
    const version = versionOf(await files.stat(path));
    if (this.parsed.get(part)?.version === version) return false;
    const bytes = version === '' ? undefined : await files.read(path);
    // Kept only if it can be parsed: a damaged file is reported every time, and read again once it is intact.
    this.parsed.set(part, { version, value: SUMMARY_PARSERS[part](this.folder, bytes) });
    return true;
  }
}

/** Changes whenever the file is replaced or appended to; '' if it is missing. */
export const fileVersion = async (path: string): Promise<string> => versionOf(await PATIENT.stat(path));
