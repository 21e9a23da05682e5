import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { experimentOf, experimentSweeps, runPaths } from '../layout';
import { readRunSummary } from '../read';
import { readCluster } from './cluster-file';
import { trialOf } from './record';

/**
 * Where the checkpoints of a run are that has none here, if they stayed on the cluster that trained it, and what brings them.
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
