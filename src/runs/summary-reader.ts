import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { readIfThere, unreadable } from '../files/read';
import { runPaths } from './layout';
import { SUMMARY_PARSERS, type RunSummary } from './read';

type Part = keyof typeof SUMMARY_PARSERS;
const PARTS = Object.keys(SUMMARY_PARSERS) as Part[];

interface Parsed {
  /** Which version of the file it was; '' for no file. */
  version: string;
  value: unknown;
}

/**
 * Reads one run's summary (`readRunSummary`) again and again without blocking: a file is read and parsed
 * only when its size, time or inode differ from the last time.
 */
export class SummaryReader {
  private readonly parsed = new Map<Part, Parsed>();
  private last: RunSummary | undefined;

  constructor(readonly folder: string) {}

  /**
   * The summary as it now is; the same object as the last time where nothing changed. AuroraError (`run`)
   * where a file is missing or damaged.
   */
  async read(): Promise<RunSummary> {
    const fresh = await Promise.all(PARTS.map((part) => this.refresh(part)));
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

  private async refresh(part: Part): Promise<boolean> {
    const path = runPaths(this.folder)[part];
    const version = await fileVersion(path);
    if (this.parsed.get(part)?.version === version) return false;
    const bytes = version === '' ? undefined : await readIfThere(path);
    // Kept only once it parsed: a damaged file is told every time, and read anew once it is whole.
    this.parsed.set(part, { version, value: SUMMARY_PARSERS[part](this.folder, bytes) });
    return true;
  }
}

/** Differs whenever the file was replaced or appended to; '' where there is none. */
export async function fileVersion(path: string): Promise<string> {
  try {
    const { size, mtimeMs, ino } = await stat(path);
    return `${size}:${mtimeMs}:${ino}`;
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw unreadable(path, e);
  }
}
