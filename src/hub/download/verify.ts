import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { AuroraError } from '../../base/errors';
import { bytes } from '../../base/number-text';
import { hashFile } from '../../files/hash';
import type { RepoFile } from '../types';

/** Git holds no larger files on the hub (10 MB). */
const MOST_SMALL = 64_000_000;

/**
 * True if a file on the disk is as the hub's listing states: by SHA-256 for large files, by the git blob's SHA-1 for
 * small ones. Reads the written bytes, not those that arrived.
 */
export async function isRight(path: string, { size, sha256, gitSha1 }: RepoFile): Promise<boolean> {
  if ((await stat(path)).size !== size) return false;
  if (sha256 !== undefined) return (await hashFile(path, { again: true })).sha256 === sha256;
  return (await gitHash(path, size)) === gitSha1;
}

/**
 * True if a file in the cache is complete. Links are followed. A large file is not read again that was hashed before
 * and has not been written since; without the network, the hash of a file that is not a link is not known, and its size
 * counts.
 */
export async function isIntact(path: string, { size, sha256, gitSha1 }: RepoFile): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true || found.size !== size) return false;
  if (sha256 !== undefined) return (await hashFile(path)).sha256 === sha256;
  return !/^[0-9a-f]{40}$/.test(gitSha1) || (await gitHash(path, size)) === gitSha1;
}

/** The hash that `git hash-object` computes. */
async function gitHash(path: string, size: number): Promise<string> {
  const hash = createHash('sha1').update(`blob ${size}\0`);
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** @throws AuroraError 'network' for a file that could not be verified within bounds */
export function requireVerifiable({ path, size, sha256 }: RepoFile): void {
  if (sha256 !== undefined || size <= MOST_SMALL) return;
  throw new AuroraError(
    'network',
    `The hub states no SHA-256 for ${path}, which has ${bytes(size)}.`,
    'Only small files may be without. If HF_ENDPOINT names a mirror, check it.',
  );
}
