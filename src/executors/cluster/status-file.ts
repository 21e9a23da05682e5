import { join } from 'node:path';
import { writeAtomic } from '../../files/atomic';
import { readJsonIfThere } from '../../files/json';
import type { ClusterFile, ClusterTrial } from '../../protocol/run-files/cluster';

/** Readers see that somebody still asks the scheduler, also if nothing changes. */
const REPEAT_MS = 60_000;

/** cluster.json of a sweep: written when it has changed, and once a minute. */
export class StatusFile {
  private written = '';
  private at = -Infinity;

  constructor(private readonly sweep: string) {}

  /** What the scheduler last said, by trial id; empty without a usable file, since it can be asked again. */
  read(): Map<string, ClusterTrial> {
    try {
      const file = readJsonIfThere(pathOf(this.sweep)) as Partial<ClusterFile> | undefined;
      return new Map(file?.version === 1 ? Object.entries(file.trials ?? {}) : []);
    } catch {
      return new Map();
    }
  }

  write(file: ClusterFile): void {
    const { at, ...rest } = file;
    const content = JSON.stringify(rest);
    if (content === this.written && performance.now() - this.at < REPEAT_MS) return;
    writeAtomic(pathOf(this.sweep), `${JSON.stringify({ ...rest, at })}\n`, this.sweep);
    this.written = content;
    this.at = performance.now();
  }
}

const pathOf = (sweep: string): string => join(sweep, 'cluster.json');
