import { CACHED_FROM, hashFile, type HashedFile, type HashOptions } from './hash';
import { HashCache } from './hash-cache';
import { folderHash, folderIdentity, folderStamp } from './folder-identity';
import { identify, isSettled, sameIdentity, type FileIdentity } from './identity';
import { isFolder } from './tree';

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
