import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Experiment } from '../../experiment/experiment';
import { filesBelow, isFolder } from '../../files/tree';
import { refuseAbsoluteImages } from './images';
import { plannedInputs } from './planned';

/**
 * Every file that training an experiment reads, to train it on another machine. Some are links, as in the hub's cache.
 *
 * @returns absolute paths of files that exist
 * @throws AuroraError 'model', 'tokenizer' or 'data' if one of them cannot be read
 */
export async function filesRead(spec: Experiment): Promise<string[]> {
  await refuseAbsoluteImages(spec);
  const inputs = await plannedInputs(spec);
  const files = inputs.flatMap(({ path, images = [] }) => [
    ...(isFolder(path) ? filesBelow(path).map((name) => join(path, name)) : [resolve(path)]),
    ...images,
  ]);
  return [...new Set(files)].filter((path) => existsSync(path));
}
