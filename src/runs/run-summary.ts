import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { AuroraError } from '../base/errors';
import type { Experiment } from '../experiment/experiment';
import { damaged, missing, parseJson } from '../files/json';
import { readIfThereSync } from '../files/read';
import type { RunEvent, RunStatus } from '../protocol/events';
import { checkSpec } from './check-spec';
import { journalEvents } from './journal/journal-reader';
import { runPaths } from './layout';
import { checkStatus } from './status';
import { specFrom } from './stored-spec';

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
    spec: spec(folder, readIfThereSync(paths.spec, MOST_BYTES.spec)),
    events: events(folder, readIfThereSync(paths.events, MOST_BYTES.events)),
    status: status(folder, readIfThereSync(paths.status, MOST_BYTES.status)),
    result: result(folder, readIfThereSync(paths.result, MOST_BYTES.result)),
  };
}

/**
 * Bytes of each file, far above the largest experiment that the schema allows and the events of 50,000 evaluations.
 * Parsing must not block an editor that lists runs.
 */
export const MOST_BYTES = { spec: 2 ** 23, events: 2 ** 25, status: 2 ** 20, result: 2 ** 23 } as const;

/** A parser for each file, so that a repeated read parses only the files that have changed. */
export const SUMMARY_PARSERS = {
  spec(folder: string, bytes: Uint8Array | undefined): Experiment {
    const path = runPaths(folder).spec;
    if (!bytes) throw missing(path);
    return specFrom(folder, parseJson(path, bytes), (value) => checkSpec(path, value));
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
    return bytes && checkResult(path, parseJson(path, bytes));
  },
};

function checkResult(path: string, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw damaged(path, 'is not a JSON object');
  const { steps } = value as { steps?: unknown };
  if (steps !== undefined && typeof steps !== 'number') throw damaged(path, 'is not the result of a run');
  return value as Record<string, unknown>;
}
