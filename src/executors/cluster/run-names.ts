import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { reserveRunId } from '../../runs/layout';
import type { TrialRecord } from '../../runs/sweep/record';
import { isInTrash } from '../../runs/trash';

/**
 * Names the run of a trial, whose folder its task creates. A trial keeps the name, whatever has become of a job: two
 * tasks of the same trial must meet in one folder. A deleted run's name is not reused, since that run may be restored.
 *
 * @param runs the folder of the experiment's runs
 */
export function reserveRun(record: TrialRecord, runs: string): void {
  const run = record.run === undefined ? undefined : join(runs, record.run);
  if (run !== undefined && (existsSync(run) || !isInTrash(run))) return;
  record.run = reserveRunId(runs);
}
