import { claim } from '../../files/owner';
import { Journal } from '../../runs/journal/journal';
import { runPaths } from '../../runs/layout';
import { outcomeOf } from '../../runs/outcome';
import { readRunSummary, type RunSummary } from '../../runs/run-summary';
import { writeStatus } from '../../runs/status';
import { unlessRefused } from '../process/run-failure';
import { removeLeftovers } from '../process/leftovers';
import type { FinishedResult } from './run-result';

/**
 * Writes the rest that a trainer killed after its result had not yet written: the journal's last line, and a status
 * that is not `running`. In a finished run, it also removes files that were being written when that trainer ended. The
 * caller owns the run. Does nothing for any other run.
 */
export function completeRun(run: string): void {
  const summary = readRunSummary(run);
  if (outcomeOf(summary) === 'finished') removeLeftovers(run);
  if (!isIncomplete(summary)) return;
  const { status, events } = summary;
  const result = summary.result as unknown as FinishedResult;
  const { steps: step, best, last, seconds } = result;
  const finished = outcomeOf(summary) === 'finished';
  if (finished && !events.some((e) => e.kind === 'finished')) {
    const journal = Journal.open(runPaths(run).events);
    journal.append({ kind: 'finished', step, best, last, seconds });
    journal.close();
  }
  writeStatus(run, { ...status!, state: finished ? 'finished' : 'failed', step });
}

/**
 * Like `completeRun`, for a run that may have no owner; does nothing if it has one, or if the disk fails: the run has
 * finished all the same.
 */
export async function completeUnowned(run: string): Promise<void> {
  if (!isIncomplete(readRunSummary(run))) return;
  await unlessRefused(async () => {
    const got = await claim(run);
    if (!('owner' in got)) return;
    try {
      completeRun(run);
    } finally {
      got.owner.release();
    }
  });
}

const isIncomplete = (summary: RunSummary): boolean =>
  outcomeOf(summary) !== undefined && summary.status?.state === 'running';
