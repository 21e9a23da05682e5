import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { diskError, writeAtomic } from '../../files/atomic';
import { installPackage } from '../package/folder';
import type { TrainerPackage } from '../package/package';
import { dockerfile, TRAINER_CONTEXT } from './dockerfile';
import { yamlText } from './yaml';

/** The result of `--write`: the image's folder, for `docker build`, and the manifests. */
export interface Written {
  pkg: TrainerPackage;
  /** By file name. */
  manifests: Readonly<Record<string, object>>;
}

/**
 * Writes the folder of an image and manifests, and asks the cluster nothing.
 *
 * @param target an absolute folder; files of an earlier call there are replaced
 * @returns the paths written
 * @throws AuroraError 'usage' if the folder has other files, 'disk' if it cannot be written
 */
export async function writeImage(target: string, { pkg, manifests }: Written): Promise<string[]> {
  const image = join(target, 'image');
  const trainer = join(image, TRAINER_CONTEXT);
  const other = existsSync(target) ? readdirSync(target).find((name) => !isOurs(name)) : undefined;
  if (other !== undefined)
    throw new AuroraError('usage', `${target} has other files, such as ${other}.`, 'Name a new folder.');
  try {
    mkdirSync(image, { recursive: true });
    const installed = await installPackage(pkg, image);
    rmSync(trainer, { recursive: true, force: true });
    renameSync(installed, trainer);
  } catch (e) {
    throw diskError(trainer, e);
  }
  const texts = {
    [join(image, 'Dockerfile')]: dockerfile(),
    ...Object.fromEntries(
      Object.entries(manifests).map(([name, object]) => [join(target, name), yamlText(object)]),
    ),
  };
  for (const [path, text] of Object.entries(texts)) writeAtomic(path, text, target);
  return [...Object.keys(texts), trainer];
}

const isOurs = (name: string): boolean => name === 'image' || name.endsWith('.yaml');
