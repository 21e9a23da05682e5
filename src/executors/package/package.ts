import { createHash } from 'node:crypto';
import { AuroraError } from '../../base/errors';
import { hashFile } from '../../files/hash';
import { MissingError } from '../missing-piece';
import {
  isThis,
  NODE_NAME,
  runtimeFiles,
  THIS_PLATFORM,
  type Platform,
  type RuntimeFile,
} from './package-files';

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

/**
 * The package for a cluster.
 *
 * @param place the name in errors
 * @throws AuroraError 'device' if this build has none for its system
 */
export async function packageFor(dist: string, platform: Platform, place: string): Promise<TrainerPackage> {
  try {
    return await trainerPackage(dist, platform);
  } catch (e) {
    if (!(e instanceof MissingError) || e.piece !== 'runtime' || isThis(platform)) throw e;
    const system = `${platform.platform}-${platform.arch}`;
    throw new AuroraError(
      'device',
      `This build of AuroRA Lab has no ONNX Runtime for ${system}, the system of ${place}.`,
      `Start the sweep on the cluster itself, for example with VS Code's Remote - SSH, which installs the build for ${system} there.`,
      { cause: e },
    );
  }
}

const NODE = `node/${NODE_NAME}`;

/** The package's own Node, relative to its folder; undefined if it has none. */
export const nodeIn = ({ files }: TrainerPackage): string | undefined =>
  files.some(({ target }) => target === NODE) ? NODE : undefined;
