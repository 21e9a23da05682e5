import type { DownloadEvent, RepoFile } from '../types';

const EVERY_MS = 200;

/** Counts the bytes of all files of a download. */
export class Progress {
  private readonly there: Map<string, number>;
  private readonly sizes: Map<string, number>;
  private readonly total: number;
  private last = 0;

  constructor(
    wanted: readonly RepoFile[],
    missing: readonly RepoFile[],
    private readonly listener: ((event: DownloadEvent) => void) | undefined,
  ) {
    this.sizes = new Map(wanted.map(({ path, size }) => [path, size]));
    this.total = [...this.sizes.values()].reduce((sum, size) => sum + size, 0);
    this.there = new Map(this.sizes);
    for (const { path } of missing) this.there.set(path, 0);
    this.tell({ kind: 'started', files: wanted.length, done: this.done, total: this.total });
    const absent = new Set(missing.map(({ path }) => path));
    for (const { path, size } of wanted)
      if (!absent.has(path)) this.tell({ kind: 'file', path, size, cached: true });
  }

  private get done(): number {
    return [...this.there.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  tell(event: DownloadEvent): void {
    this.listener?.(event);
  }

  at(path: string, bytes: number): void {
    this.there.set(path, bytes);
    const now = performance.now();
    if (now - this.last < EVERY_MS && bytes < this.sizes.get(path)!) return;
    this.last = now;
    this.tell({ kind: 'progress', path, done: this.done, total: this.total });
  }

  finish(path: string): void {
    const size = this.sizes.get(path)!;
    this.at(path, size);
    this.tell({ kind: 'file', path, size, cached: false });
  }
}
