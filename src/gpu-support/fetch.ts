import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AuroraError } from '../base/errors';
import { bytes } from '../base/number-text';
import type { GpuEvent, GpuPart } from '../protocol/gpu-support';
import { fileOf, readDownloads, type Download } from './downloads';
import { explain, stalled } from './explain';
import { installScript, startScript } from './script';

export interface Fetch {
  part: GpuPart;
  /** The copied part, into which the script downloads natives. */
  folder: string;
  temporary: string;
  /** watched.cjs */
  watched: string;
  /** Give up when nothing arrives for this long. */
  timeoutSeconds: number;
  tell(event: GpuEvent): void;
}

const LOOK_MS = 250;

/** Time to unpack half-gigabyte archives, even on a slow disk. */
const UNPACK_SECONDS = 900;

/** Index files and redirects are not reported as progress. */
const WORTH_TELLING = 64 * 1024;

/** Runs a package's own install script and returns what it downloaded; throws AuroraError if it fails. */
export async function fetchNatives(options: Fetch): Promise<Download[]> {
  const { part, folder, temporary, watched, timeoutSeconds, tell } = options;
  const file = join(temporary, 'downloads.jsonl');
  const script = installScript(part, folder, temporary, file, watched);
  const running = startScript(script);
  let over = false;
  const ended = running.ended.finally(() => (over = true));
  const leaving = () => running.kill();
  // Before the handler that removes the folder.
  process.prependOnceListener('exit', leaving);
  try {
    const watcher = new Watcher(tell, timeoutSeconds, temporary);
    tell({ kind: 'step', step: 'downloading' });
    while (!over) {
      await Promise.race([ended, wait(LOOK_MS)]);
      await watcher.look(await readDownloads(file));
    }
    const { code, signal, said } = await ended;
    const downloads = await readDownloads(file);
    // One of the scripts takes a broken connection for the end of the file.
    if (code === 0 && downloads.every((d) => d.ended !== 'broken')) return downloads;
    const end = signal === null ? `with code ${code}` : `by ${signal}`;
    throw explain({ part, downloads, said, end, proxy: script.env.HTTPS_PROXY });
  } finally {
    process.off('exit', leaving);
    running.kill();
    // Processes started by the script notice its end within this time.
    if (!over) await ended.then(() => wait(2 * LOOK_MS));
  }
}

/** Reports progress; throws without any for too long, or without disk space for the rest. */
class Watcher {
  private readonly measured = new Set<string>();
  private step: 'downloading' | 'unpacking' = 'downloading';
  private before = '';
  private moved = performance.now();

  constructor(
    private readonly tell: (event: GpuEvent) => void,
    private readonly timeoutSeconds: number,
    private readonly folder: string,
  ) {}

  async look(downloads: readonly Download[]): Promise<void> {
    const now = JSON.stringify(downloads);
    if (now !== this.before) {
      this.before = now;
      this.moved = performance.now();
      this.report(downloads);
      for (const d of downloads) await this.room(d);
    }
    const loading = downloads.length === 0 || downloads.some((d) => d.ended === undefined);
    const limit = loading ? this.timeoutSeconds : UNPACK_SECONDS;
    if (performance.now() - this.moved > limit * 1000) throw stalled(downloads, limit);
  }

  private report(downloads: readonly Download[]): void {
    const big = downloads.filter((d) => Math.max(d.received, d.total ?? 0) >= WORTH_TELLING);
    const last = big.at(-1);
    if (!last) return;
    const step = downloads.every((d) => d.ended !== undefined) ? 'unpacking' : 'downloading';
    const { received, total } = last;
    if (step === 'downloading' || this.step === 'downloading')
      this.tell({ kind: 'progress', file: fileOf(last.url), received, total: total || undefined });
    if (step !== this.step) this.tell({ kind: 'step', step });
    this.step = step;
  }

  /** Checks the free space as soon as the server has stated the size. */
  private async room({ id, url, total, received }: Download): Promise<void> {
    if (total === undefined || this.measured.has(id)) return;
    this.measured.add(id);
    const { bavail, bsize } = await statfs(this.folder);
    // The content is at least as large as the archive; a tarball is unpacked while downloading, others are stored
    // first.
    const needed = url.endsWith('.tar.gz') ? total - received : 2 * total - received;
    if (bavail * bsize >= needed) return;
    throw new AuroraError(
      'disk',
      `${fileOf(url)} needs at least ${bytes(needed)}, but ${this.folder} has only ${bytes(bavail * bsize)} free.`,
      'Free some space, then install again.',
    );
  }
}
