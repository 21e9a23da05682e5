import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AuroraError } from '../base/errors';
import { bytes } from '../base/number-text';
import { GPU_PARTS, type GpuEvent, type GpuPart } from '../protocol/gpu-support';
import { type Download, fileOf, readDownloads } from './hashes';
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

export interface Failed {
  part: GpuPart;
  downloads: readonly Download[];
  /** The script's output. */
  said: string;
  /** The way it ended: an exit code or a signal. */
  end: string;
  proxy?: string;
}

const again = 'Install again.';
const PROXY = '"http.proxy" in VS Code, or HTTPS_PROXY in a terminal';
const NETWORK = `Check the network. Behind a proxy, set ${PROXY}.`;

/** The reason why an install script failed, from its downloads and output; each reason with one next step. */
export function explain({ part, downloads, said, end, proxy }: Failed): AuroraError {
  const last = downloads.at(-1);
  const through = proxy === undefined ? '' : ` through the proxy ${withoutPassword(proxy)}`;
  const error = (message: string, hint: string) => new AuroraError('device', message, hint);
  const refused = downloads.findLast((d) => (d.status ?? 0) >= 400);
  if (/ENOSPC|EDQUOT/.test(said))
    return new AuroraError(
      'disk',
      'The disk is full: the download could not be written.',
      `Free some space. ${again}`,
    );
  if (/\b407\b|proxy authentication/i.test(said) || refused?.status === 407)
    return error(
      `The proxy${through.replace(' through the proxy', '')} requires a user name and a password.`,
      'Add them to its address: http://NAME:PASSWORD@HOST:PORT.',
    );
  if (refused?.status === 404)
    return error(
      `The server does not have ${refused.url} (404).`,
      'If a mirror is set, check that it has this version. Otherwise, update AuroRA Lab.',
    );
  if (refused)
    return error(
      `The server responded with ${refused.status} to ${refused.url}${through}.`,
      'Try again in a few minutes.',
    );
  const host = last ? new URL(last.url).host : 'the server';
  if (/ENOTFOUND|EAI_AGAIN/.test(said)) return error(`${host} could not be found${through}.`, NETWORK);
  if (/ERR_TLS_CERT|CERT_|UNABLE_TO_|self[- ]signed|unable to (verify|get)/i.test(said))
    return error(
      `The certificate of ${host} is not trusted${through}.`,
      "Save your company's certificate to a file and set NODE_EXTRA_CA_CERTS to its path.",
    );
  const broken = last && (last.ended === 'broken' || (last.total ?? last.received) > last.received);
  const spoiled =
    /TAR_|zlib|incorrect (header|data) check|CRC|dest\.destroy|ADM-ZIP|NuGet|JSON|content type/i.test(said);
  // A tarball is unpacked while downloading: an invalid one ends its own connection. Others are opened once complete.
  const cut = /aborted|premature|truncated|ECONNRESET|unexpected end/i.test(said);
  const readFirst = last?.url.endsWith('.tar.gz') ? !cut : last?.ended !== 'broken';
  if (last && spoiled && readFirst)
    return error(
      `The download from ${last.url}${through} is not a valid archive.`,
      `Check whether a proxy or a mirror changed it, then install again.`,
    );
  if (broken)
    return error(
      `The download of ${last.url} was interrupted after ${bytes(last.received)}${last.total === undefined ? '' : ` of ${bytes(last.total)}`}.`,
      again,
    );
  if (
    /ECONN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|socket hang up|EPIPE/.test(said) ||
    last?.status === undefined
  )
    return error(
      `${host} could not be reached${through}${reason(said)}.`,
      proxy === undefined ? NETWORK : `Check the proxy's address: ${PROXY}.`,
    );
  return error(
    `The install script of ${GPU_PARTS[part].package} ended ${end}: ${lastWords(said)}.`,
    'Run `aurora gpu install` in a terminal to see its progress.',
  );
}

/** The error for a download that has stopped. */
const stalled = (downloads: readonly Download[], seconds: number): AuroraError => {
  const last = downloads.at(-1);
  const from = last ? `${new URL(last.url).host} sent` : 'The install script did';
  const so = last && last.received > 0 ? ` after ${bytes(last.received)} of ${last.url}` : '';
  return new AuroraError('device', `${from} nothing for ${seconds} s${so}.`, NETWORK);
};

function reason(said: string): string {
  const code = /\b(E[A-Z]{4,})\b|socket hang up/.exec(said)?.[0];
  return code ? ` (${code})` : '';
}

const withoutPassword = (proxy: string): string => proxy.replace(/\/\/[^@/]*@/, '//');

function lastWords(said: string): string {
  const lines = said
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line && !/^at |^Node\.js v/.test(line));
  const error = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1);
  return (error ?? 'no output').replace(/\.$/, '');
}
