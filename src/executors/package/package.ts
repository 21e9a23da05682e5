import { createHash } from 'node:crypto';
import { hashFile } from '../../files/hash';
import { NODE_NAME, runtimeFiles, THIS_PLATFORM, type Platform, type RuntimeFile } from './files';

/** The manifest in a package's folder, in the format of `sha256sum`. */
export const MANIFEST = 'SHA256SUMS';

/** The programs and libraries that a trainer needs on another machine. */
export interface TrainerPackage {
  /** SHA-256 of the manifest, and the name of the package's folder: equal only if all files are. */
  hash: string;
  manifest: string;
  files: readonly PackagedFile[];
}

export type PackagedFile = RuntimeFile & { sha256: string };

/**
 * The package for a platform, from this build.
 *
 * @param dist the folder of cli.cjs
 * @throws MissingError if this build has no runtime for the platform, or lacks a program
 */
export async function trainerPackage(
  dist: string,
  platform: Platform = THIS_PLATFORM,
): Promise<TrainerPackage> {
  const files: PackagedFile[] = [];
  for (const file of await runtimeFiles(dist, platform))
    files.push({ ...file, sha256: (await hashFile(file.source)).sha256 });
  // By code units, as in every locale.
  files.sort((a, b) => (a.target < b.target ? -1 : 1));
  const manifest = files.map(({ sha256, target }) => `${sha256}  ${target}\n`).join('');
  return { hash: createHash('sha256').update(manifest).digest('hex'), manifest, files };
}

const NODE = `node/${NODE_NAME}`;

/** The package's own Node, relative to its folder; undefined if it has none. */
export const nodeIn = ({ files }: TrainerPackage): string | undefined =>
  files.some(({ target }) => target === NODE) ? NODE : undefined;
