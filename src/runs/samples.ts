import { parseSamples, type RunSamples } from '../protocol/run-files/samples';
import { readIfThereSync } from '../files/read';
import { runPaths } from './layout';

/** Undefined if there are none, or the file is damaged: then a trainer begins it again. */
export function readSamples(run: string): RunSamples | undefined {
  try {
    return parseSamples(JSON.parse(readIfThereSync(runPaths(run).samples)?.toString('utf8') ?? 'null'));
  } catch {
    return undefined;
  }
}
