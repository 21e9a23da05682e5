import type { HashedFile } from '../files/hash';
import { hashData, identifyData } from '../files/identify-data';
import type { FileIdentity } from '../files/identity';
import { AuroraError } from '../base/errors';

/**
 * Files as they are now, each looked at and hashed once: thousands of runs may have been trained on the same ones. For one
 * comparison, since it does not notice later changes.
 */
export class FilesNow {
  private readonly identities = new Map<string, FileIdentity | undefined>();
  private readonly hashes = new Map<string, Promise<HashedFile | undefined>>();

  /** The identity of a file; undefined if it does not exist. */
  identity(path: string): FileIdentity | undefined {
    if (!this.identities.has(path)) this.identities.set(path, identifyData(path));
    return this.identities.get(path);
  }

  /**
   * The hash of a file; undefined if it does not exist.
   *
   * @throws AuroraError 'inputs' if it exists and cannot be read
   */
  hash(path: string): Promise<HashedFile | undefined> {
    const known = this.hashes.get(path);
    if (known) return known;
    const hash = hashIfThere(path);
    this.hashes.set(path, hash);
    return hash;
  }
}

async function hashIfThere(path: string): Promise<HashedFile | undefined> {
  try {
    return await hashData(path);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AuroraError('inputs', `${path} cannot be compared: ${(e as Error).message}.`, undefined, {
      cause: e,
    });
  }
}
