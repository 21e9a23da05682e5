import { stat } from 'node:fs/promises';
import { filesOfLater } from '../../files/pattern';
import type { DataHead } from '../../table/head';
import { readDataHead, type HeadOptions } from './data-head';

/** The first rows of a few data files, read again when a file's size or modification time changes. */
export class HeadCache {
  private readonly known = new Map<string, { key: string; head: Promise<DataHead | undefined> }>();

  /** Rejects as `readDataHead`. */
  async read(path: string, options: HeadOptions = {}): Promise<DataHead | undefined> {
    const files = await filesOfLater(path);
    const { size, mtimeMs } = await stat(files[0]!);
    const key = `${files.length} ${files[0]} ${size} ${mtimeMs} ${options.header} ${options.quoting}`;
    const there = this.known.get(path);
    if (there?.key === key) return there.head;
    // Evicts the oldest: an experiment names two files, and few experiments are open in a window.
    if (this.known.size >= 16) this.known.delete(this.known.keys().next().value!);
    const head = readDataHead(path, options);
    this.known.set(path, { key, head });
    return head;
  }
}
