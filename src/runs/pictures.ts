import { join } from 'node:path';
import { readIfThereSync } from '../files/read';
import { parsePictures, type RunPictures } from '../protocol/run-files/pictures';
import { runPaths } from './layout';

/** Lists the pictures beside it. */
export const picturesIndex = (run: string): string => join(runPaths(run).pictures, 'index.json');

/** Undefined if there are none, or the index is damaged: then a trainer begins it again. */
export function readPictures(run: string): RunPictures | undefined {
  try {
    return parsePictures(JSON.parse(readIfThereSync(picturesIndex(run))?.toString('utf8') ?? 'null'));
  } catch {
    return undefined;
  }
}
