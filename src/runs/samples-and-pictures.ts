import { join } from 'node:path';
import { readIfThereSync } from '../files/read';
import { parsePictures, type RunPictures } from '../protocol/run-files/pictures';
import { parseSamples, type RunSamples } from '../protocol/run-files/samples';
import { runPaths } from './layout';

/** Undefined if there are none, or the file is damaged: then a trainer begins it again. */
export function readSamples(run: string): RunSamples | undefined {
  try {
    return parseSamples(JSON.parse(readIfThereSync(runPaths(run).samples)?.toString('utf8') ?? 'null'));
  } catch {
    return undefined;
  }
}

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
