import { hashFile, type HashedFile, type HashOptions } from './hash';
import { folderHash, folderIdentity } from './folder-identity';
import { identify, isSettled, sameIdentity, type FileIdentity } from './identity';
import { isFolder } from './tree';

/** The identity of a file, or of a folder with all its files; undefined if there is neither. */
export const identifyData = (path: string): FileIdentity | undefined =>
  isFolder(path) ? folderIdentity(path) : identify(path);

/** The hash of a file, or of a folder with all its files. @throws Error as `hashFile` */
export async function hashData(path: string, options: HashOptions = {}): Promise<HashedFile> {
  if (!isFolder(path)) return hashFile(path, options);
  const began = Date.now();
  const identity = folderIdentity(path);
  const sha256 = await folderHash(path, async (file) => (await hashFile(file, options)).sha256);
  if (!sameIdentity(identity, folderIdentity(path))) throw new Error(`${path} is being written`);
  return { sha256, identity, settled: isSettled(identity, began) };
}
