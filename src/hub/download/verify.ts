import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { AuroraError } from '../../base/errors';
import { bytes } from '../../base/number-text';
import { hashFile } from '../../files/hash';
import type { RepoFile } from '../types';

/** Git holds no larger files on the hub (10 MB); what is not in Git LFS is read as a whole. */
const MOST_SMALL = 64_000_000;

/**
 * Whether a file on the disk is what the hub's listing states: by SHA-256 for large files, by the git blob's SHA-1 for
 * small ones. Reads what was written, not what arrived.
 */
export async function isRight(path: string, { size, sha256, gitSha1 }: RepoFile): Promise<boolean> {
  if ((await stat(path)).size !== size) return false;
  if (sha256 !== undefined) return (await hashFile(path, { again: true })).sha256 === sha256;
  const content = await readFile(path);
  const header = `blob ${content.length}\0`;
  return createHash('sha1').update(header).update(content).digest('hex') === gitSha1;
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
