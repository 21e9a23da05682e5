import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { experimentOf, experimentSweeps, runPaths } from '../layout';
import { readRunSummary } from '../run-summary';
import { readCluster } from './cluster-file';
import { trialOf } from './record';

/**
 * The place of a run's checkpoints that stayed on the cluster that trained it, and the command that copies them here.
 */
export function checkpointsHint(run: string): string | undefined {
  if (existsSync(runPaths(run).checkpoints)) return undefined;
  try {
    const trial = trialOf(run);
    if (!trial) return undefined;
    const file = experimentOf(run);
    const cluster = readCluster(join(experimentSweeps(file), trial.sweep));
    if (!cluster?.keepsCheckpoints || !cluster.trials[trial.trial]?.collected) return undefined;
    if (!readRunSummary(run).events.some((e) => e.kind === 'checkpoint')) return undefined;
    return `Its checkpoints are on the cluster that trained it: \`aurora sweep ${file} --checkpoints ${trial.number}\` brings them.`;
  } catch {
    return undefined;
  }
}
