import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { AuroraError } from '../base/errors';
import type { RunEvent, RunStatus } from '../protocol/events';
import type { Experiment } from '../experiment/experiment';
import { journalEvents } from './journal/reader';
import { missing, parseJson } from '../files/json';
import { readIfThereSync } from '../files/read';
import { runPaths } from './layout';
import { checkStatus } from './status';

/** The content of a run folder without its curves: small, regardless of the number of steps. */
export interface RunSummary {
  folder: string;
  /** The folder's name. */
  id: string;
  spec: Experiment;
  /** The events that count (effectiveEvents); empty before the trainer's first one. */
  events: RunEvent[];
  status?: RunStatus;
  /** result.json, once the run has finished. */
  result?: Record<string, unknown>;
}

/** Reads a run, even while it is being written. Throws AuroraError (`run`) if it is not a run or a file is damaged. */
export function readRunSummary(folder: string): RunSummary {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new AuroraError(
      'run',
      `There is no run folder ${folder}.`,
      'Give the path of a folder under .aurora/runs.',
    );
  const paths = runPaths(folder);
  const { spec, events, status, result } = SUMMARY_PARSERS;
  return {
    folder,
    id: basename(folder),
    spec: spec(folder, readIfThereSync(paths.spec)),
    events: events(folder, readIfThereSync(paths.events)),
    status: status(folder, readIfThereSync(paths.status)),
    result: result(folder, readIfThereSync(paths.result)),
  };
}

/** One parser per file, so that a repeated read parses only the files that have changed. */
export const SUMMARY_PARSERS = {
  spec(folder: string, bytes: Uint8Array | undefined): Experiment {
    const path = runPaths(folder).spec;
    if (!bytes) throw missing(path);
    return record(path, parseJson(path, bytes)) as unknown as Experiment;
  },
  events(folder: string, bytes: Uint8Array | undefined): RunEvent[] {
    return journalEvents(bytes ?? new Uint8Array(0), runPaths(folder).events);
  },
  status(folder: string, bytes: Uint8Array | undefined): RunStatus | undefined {
    const path = runPaths(folder).status;
    return bytes && checkStatus(path, parseJson(path, bytes));
  },
  result(folder: string, bytes: Uint8Array | undefined): Record<string, unknown> | undefined {
    const path = runPaths(folder).result;
    return bytes && record(path, parseJson(path, bytes));
  },
};

function record(path: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new AuroraError(
    'run',
    `${path} is not a JSON object.`,
    'It was changed or damaged after it was written; restore it from a copy.',
  );
}
