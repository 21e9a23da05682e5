import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfThere } from '../../../files/read';
import { runPaths, stepName, stepOfName } from '../../../runs/layout';
import { parseExamples, type ActivationExamples } from '../../../protocol/activation-examples';
import { decodeSnapshot, type Snapshot } from '../../../protocol/activations';
import { AuroraError } from '../../../base/errors';

/** Decoded snapshots cached in memory, so that playback reads each file once: 24 layers of rank 2 take 0.1 MB. */
const CACHE_BYTES = 48 * 2 ** 20;

/** The activation snapshots of one run, read without blocking. */
export class Snapshots {
  private readonly folder: string;
  /** Least recently used first. The key includes size and modification time, since a resumed run rewrites files. */
  private readonly cache = new Map<string, { snapshot: Snapshot; bytes: number }>();
  private examples?: ActivationExamples;

  constructor(run: string) {
    this.folder = runPaths(run).activations;
  }

  /** Steps that have a file, in order; empty if the folder does not exist yet. */
  async steps(): Promise<number[]> {
    const names = await readdir(this.folder).catch((e: NodeJS.ErrnoException) => {
      if (e.code === 'ENOENT') return [];
      throw e;
    });
    return names
      .filter((n) => n.endsWith('.bin'))
      .map((n) => stepOfName(n.slice(0, -'.bin'.length)))
      .filter((s) => s !== undefined)
      .sort((a, b) => a - b);
  }

  /** Throws an AuroraError (`run`) with the file's name if it cannot be read. */
  async read(step: number): Promise<{ key: string; snapshot: Snapshot }> {
    const file = join(this.folder, `${stepName(step)}.bin`);
    try {
      const { size, mtimeMs } = await stat(file);
      const key = `${step}:${size}:${mtimeMs}`;
      const known = this.cache.get(key);
      if (known) {
        this.cache.delete(key);
        this.cache.set(key, known);
        return { key, snapshot: known.snapshot };
      }
      const stored = await readIfThere(file);
      if (!stored) throw new Error('it was removed');
      const snapshot = decodeSnapshot(stored);
      this.cache.set(key, { snapshot, bytes: size });
      this.evict();
      return { key, snapshot };
    } catch (cause) {
      throw new AuroraError(
        'run',
        `${file} could not be read: ${(cause as Error).message}.`,
        'It was removed or damaged after it was written. Choose another snapshot.',
        { cause },
      );
    }
  }

  /** The examples that the ids refer to; undefined if the run does not store them. */
  async readExamples(): Promise<ActivationExamples | undefined> {
    if (this.examples) return this.examples;
    const bytes = await readIfThere(join(this.folder, 'examples.json')).catch(() => undefined);
    try {
      return (this.examples = bytes && parseExamples(JSON.parse(bytes.toString('utf8'))));
    } catch {
      return undefined;
    }
  }

  private evict(): void {
    let bytes = [...this.cache.values()].reduce((sum, c) => sum + c.bytes, 0);
    for (const [key, entry] of this.cache) {
      if (bytes <= CACHE_BYTES || this.cache.size <= 2) return;
      this.cache.delete(key);
      bytes -= entry.bytes;
    }
  }
}
