import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AuroraError } from '../base/errors';
import { writeAtomic } from '../files/atomic';
import { parseJson } from '../files/json';
import { readIfThereSync } from '../files/read';

/** SHA-512 (base64) of each file at its first install, by name. */
type Recorded = Record<string, string>;

/** The file beside the parts' folder, so that it outlives them. */
const recordedFile = (gpu: string): string => join(dirname(gpu), 'gpu-hashes.json');

function readRecorded(gpu: string): Map<string, string> {
  const path = recordedFile(gpu);
  const bytes = readIfThereSync(path);
  const value = bytes ? parseJson(path, bytes) : {};
  return new Map(Object.entries((value ?? {}) as Recorded));
}

/** Files without a published hash, which were therefore trusted at their first install. */
export interface Verified {
  unpinned: string[];
  /** Saves the hashes, once everything else succeeded. */
  keep(): void;
}

/**
 * Checks downloads against the hash that their publisher states, or else the hash of the first install.
 * @throws AuroraError 'device' if one differs, or there is none
 */
export function verifyDownloads(gpu: string, downloads: readonly Download[]): Verified {
  const recorded = readRecorded(gpu);
  const unpinned: string[] = [];
  let checked = 0;
  for (const download of downloads) {
    const { sha512, stated, status } = download;
    const url = askedUrl(download);
    // Index files and redirects are not installed.
    if (status !== 200 || sha512 === undefined || !/\.(nupkg|gz|tgz|zip)$/.test(new URL(url).pathname))
      continue;
    checked++;
    const name = fileOf(url);
    const before = recorded.get(name);
    if (stated !== undefined && stated !== sha512)
      throw new AuroraError(
        'device',
        `The SHA-512 of ${url} differs from the one that its publisher states.`,
        'Check whether a proxy or a mirror changed it, then install again.',
      );
    if (stated === undefined && before !== undefined && before !== sha512)
      throw new AuroraError(
        'device',
        `${url} differs from the file of the same name that was installed before: its SHA-512 has changed.`,
        `Check where it comes from. If you know that the change is legitimate, delete ${recordedFile(gpu)} and install again.`,
      );
    if (stated === undefined) unpinned.push(name);
    recorded.set(name, sha512);
  }
  if (checked === 0)
    throw new AuroraError(
      'device',
      'None of the downloaded files has the name of a package, so none could be verified.',
      'Check whether a proxy or a mirror changed the paths of the packages, then install again.',
    );
  const keep = () =>
    writeAtomic(recordedFile(gpu), `${JSON.stringify(Object.fromEntries(recorded), null, 2)}\n`);
  return { unpinned, keep };
}

const NATIVE = /\.(so(\.[\d.]+)?|node|dll)$/;

/** SHA-256 of each native library below a part's folder, by its path with slashes. */
export async function nativeHashes(folder: string): Promise<Record<string, string>> {
  const found: [string, string][] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !NATIVE.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    found.push([relative(folder, path).replaceAll('\\', '/'), hash.digest('hex')]);
  }
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The first library that differs from the installed one; undefined if all match or none were recorded. */
export async function changedNative(
  folder: string,
  recorded: Record<string, string> | undefined,
): Promise<string | undefined> {
  if (!recorded) return undefined;
  const now = await nativeHashes(folder);
  return [...new Set([...Object.keys(recorded), ...Object.keys(now)])].find((p) => now[p] !== recorded[p]);
}

/** The progress of one HTTP request of an install script. */
export interface Download {
  id: string;
  url: string;
  /** The URL that the script requested, if the server redirected it. */
  asked?: string;
  status?: number;
  /** Bytes. */
  received: number;
  /** Bytes, as stated by the server. */
  total?: number;
  ended?: 'whole' | 'broken';
  /** Base64: of the received data, and as the publisher states it. */
  sha512?: string;
  stated?: string;
}

/** The downloads in starting order, each in its latest state. */
export async function readDownloads(file: string): Promise<Download[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const latest = new Map<string, Download>();
  // The text after the last newline is incomplete.
  for (const line of text.split('\n').slice(0, -1)) {
    const d = JSON.parse(line) as Download;
    latest.set(d.id, d);
  }
  return [...latest.values()];
}

/** The URL that a download is checked against: a mirror may store it under any name, or another package's. */
export const askedUrl = ({ url, asked }: Download): string => asked ?? url;

/** The last part of a URL's path. */
export const fileOf = (url: string): string => new URL(url).pathname.split('/').at(-1) ?? url;
