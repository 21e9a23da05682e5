import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AuroraError } from '../base/errors';
import { experimentSweeps } from '../runs/layout';
import { isActive } from '../runs/outcome';
import { isAlive, readStatus } from '../runs/status';
import { readSweep, type SweepRecord } from '../runs/sweep/record';
import { MOST_RUNS, table } from './comparison';
import type { ToolRun } from './tool';

/** A sweep in the folder of its experiment's sweeps. */
export interface FoundSweep {
  folder: string;
  /** Undefined while its trials are checked for the first time. */
  record?: SweepRecord;
  isRunning: boolean;
}

/** The newest sweep of an experiment; one that is running comes first. */
export function findSweep(experiment: string): FoundSweep {
  const sweeps = foldersIn(experimentSweeps(experiment)).map(readFound);
  const [first] = sweeps.sort(
    (a, b) => Number(b.isRunning) - Number(a.isRunning) || (b.record?.begun ?? 0) - (a.record?.begun ?? 0),
  );
  if (first) return first;
  throw new AuroraError(
    'usage',
    `${basename(experiment)} has no sweep that was started.`,
    'Start it with the tool aurora_run_sweep.',
  );
}

/** Reads a sweep's folder again. */
export function readFound(folder: string): FoundSweep {
  return { folder, record: readSweep(folder), isRunning: isAlive(readStatus(folder)) };
}

const foldersIn = (home: string): string[] =>
  existsSync(home)
    ? readdirSync(home)
        .filter((name) => !name.startsWith('.'))
        .map((name) => join(home, name))
    : [];

/** Trials whose numbers are in an answer; of the others, states alone. */
const BEST = 8;

/** The progress of a sweep: how many trials are in which state, and the best of them. */
export function sweepFacts({ folder, record, isRunning }: FoundSweep, runs: readonly ToolRun[]): object {
  const sweep = basename(folder);
  const own = runs.filter((run) => run.trial?.sweep === sweep);
  const states: Record<string, number> = {};
  for (const { state } of own) states[state] = (states[state] ?? 0) + 1;
  const planned = record?.trials.filter((trial) => trial.planned).length ?? 0;
  const { runs: best, ...compared } = own.length > 0 ? table(own, record?.metric) : { runs: [] };
  return {
    sweep,
    experiment: record?.name,
    state: isRunning ? 'running' : (readStatus(folder)?.state ?? 'stopped'),
    trials: planned,
    trialsByState: { ...states, ...(planned > own.length && { waiting: planned - own.length }) },
    ...(record?.ended && { ended: [record.ended.message, record.ended.hint].filter(Boolean).join(' ') }),
    ...compared,
    best: (best as object[]).slice(0, Math.min(BEST, MOST_RUNS)),
  };
}

/** True once no trial of a sweep is training and nobody starts more. */
export const isOver = ({ folder, isRunning }: FoundSweep, runs: readonly ToolRun[]): boolean =>
  !isRunning && !runs.some((run) => run.trial?.sweep === basename(folder) && isActive(run.state));
