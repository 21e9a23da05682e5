import { readScalars, type Scalars } from '../src/runs/curve/scalars';
import { readRunSummary, type RunSummary } from '../src/runs/run-summary';

export interface Run extends RunSummary {
  scalars: Scalars;
}

/** A run with its curves. */
export const readRun = (folder: string): Run => ({ ...readRunSummary(folder), scalars: readScalars(folder) });
