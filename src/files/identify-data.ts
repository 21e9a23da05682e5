import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { CACHED_FROM, HashCache, type HashedFile, hashFile, type HashOptions } from './hash';
import { type FileIdentity, identify, identityOf, isSettled, sameIdentity } from './identity';
import { filesBelow, isFolder } from './tree';

/** The identity of a file, or of a folder with all its files; undefined if there is neither. */
export const identifyData = (path: string): FileIdentity | undefined =>
  isFolder(path) ? folderIdentity(path) : identify(path);

/**
 * The hash of a file, or of a folder with all its files. A large one that was hashed before and has not changed since is
 * not read again.
 *
 * @throws Error as `hashFile`
 */
export async function hashData(path: string, options: HashOptions = {}): Promise<HashedFile> {
  if (!isFolder(path)) return hashFile(path, options);
  const { cache = HashCache.ofUser(), again = false } = options;
  const began = Date.now();
  const identity = folderIdentity(path);
  const settled = isSettled(identity, began);
  const cached = settled && identity.size >= CACHED_FROM;
  const key = { ...identity, ctimeNs: cached ? folderStamp(path) : '' };
  const known = cached && !again ? cache.get(key) : undefined;
  if (known !== undefined) return { sha256: known, identity, settled };
  const sha256 = await folderHash(path, async (file) => (await hashFile(file, options)).sha256);
  if (!sameIdentity(identity, folderIdentity(path))) throw new Error(`${path} is being written`);
  if (cached) cache.set(key, sha256);
  return { sha256, identity, settled };
}

/**
 * A folder of data as if it were one file: the size of all its files together, and the latest of their times and of
 * those of the folders that hold them, so that a file that is added, removed or written shows.
 */
function folderIdentity(folder: string): FileIdentity {
  const own = identityOf(statSync(folder, { bigint: true }));
  const files = filesBelow(folder);
  const folders = new Set(files.map((file) => file.slice(0, Math.max(0, file.lastIndexOf('/')))));
  let [size, written, changed] = [0n, BigInt(own.mtimeNs), BigInt(own.ctimeNs)];
  for (const path of [...files, ...folders]) {
    const stat = statSync(join(folder, path), { bigint: true });
    if (stat.isFile()) size += stat.size;
    if (stat.mtimeNs > written) written = stat.mtimeNs;
    if (stat.ctimeNs > changed) changed = stat.ctimeNs;
  }
  return { ...own, size: Number(size), mtimeNs: String(written), ctimeNs: String(changed) };
}

/** Differs whenever the name, size or times of any file below a folder do, whatever the clock was when it was changed. */
function folderStamp(folder: string): string {
  const hash = createHash('sha256');
  for (const file of filesBelow(folder)) {
    const { inode, size, mtimeNs, ctimeNs } = identityOf(statSync(join(folder, file), { bigint: true }));
    hash.update(`${file}\0${inode} ${size} ${mtimeNs} ${ctimeNs}\n`);
  }
  return hash.digest('hex');
}

/** SHA-256 over the names and hashes of several files, in their order. */
export function hashOfAll(files: readonly { name: string; sha256: string }[]): string {
  const hash = createHash('sha256');
  for (const { name, sha256 } of files) hash.update(`${name}\0${sha256}\n`);
  return hash.digest('hex');
}

/**
 * SHA-256 over the names and hashes of a folder's files.
 *
 * @param hashOf the SHA-256 of one of them
 */
async function folderHash(folder: string, hashOf: (path: string) => Promise<string>): Promise<string> {
  const files = [];
  for (const name of filesBelow(folder)) files.push({ name, sha256: await hashOf(join(folder, name)) });
  return hashOfAll(files);
}
