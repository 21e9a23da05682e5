import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { AuroraError } from '../shared/errors';
import type { RunEvent, RunStatus } from '../shared/events';
import type { Experiment } from '../shared/experiment';
import { effectiveEvents, parseJournal } from './journal-reader';
import { readIfThere, readJson, readJsonIfThere } from './json';
import { runPaths } from './layout';
import { readScalars, type Scalars } from './scalars-reader';
import { readStatus } from './status';

/** What a run folder says, without its curves: small, whatever the number of steps. */
export interface RunSummary {
  folder: string;
  /** The folder's name. */
  id: string;
  spec: Experiment;
  /** The events that count (effectiveEvents); none before the trainer's first. */
  events: RunEvent[];
  status?: RunStatus;
  /** result.json, once the run has finished. */
  result?: Record<string, unknown>;
}

export interface Run extends RunSummary {
  scalars: Scalars;
}

/** Reads a run, also while it is being written. A folder that is no run, or a damaged file, is an AuroraError (`run`). */
export function readRun(folder: string): Run {
  return { ...readRunSummary(folder), scalars: readScalars(folder) };
}

/** As readRun, without the curves. */
export function readRunSummary(folder: string): RunSummary {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new AuroraError(
      'run',
      `There is no run folder ${folder}.`,
      'Give the path of a folder under .aurora/runs.',
    );
  const paths = runPaths(folder);
  const result = readJsonIfThere(paths.result);
  return {
    folder,
    id: basename(folder),
    spec: record(paths.spec, readJson(paths.spec)) as unknown as Experiment,
    events: effectiveEvents(parseJournal(readIfThere(paths.events) ?? new Uint8Array(0), paths.events)),
    status: readStatus(folder),
    result: result === undefined ? undefined : record(paths.result, result),
  };
}

function record(path: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new AuroraError(
    'run',
    `${path} does not hold a JSON object.`,
    'It was changed or damaged after it was written; restore it from a copy.',
  );
}
