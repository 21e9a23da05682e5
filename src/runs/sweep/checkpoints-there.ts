import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonIfThere } from '../../files/json';
import { experimentOf, experimentSweeps, runPaths } from '../layout';
import { readRunSummary } from '../read';
import { checkCluster, clusterPath } from './cluster-file';
import { trialOf } from './record';

/**
 * Where the checkpoints of a run are that has none here, if they stayed on the cluster that trained it, and what brings them.
 */
export function checkpointsThere(run: string): string | undefined {
  if (existsSync(runPaths(run).checkpoints)) return undefined;
  try {
    const trial = trialOf(run);
    if (!trial) return undefined;
    const file = experimentOf(run);
    const path = clusterPath(join(experimentSweeps(file), trial.sweep));
    const { apart, trials } = checkCluster(path, readJsonIfThere(path));
    if (!apart || !trials[trial.trial]?.collected) return undefined;
    if (!readRunSummary(run).events.some((e) => e.kind === 'checkpoint')) return undefined;
    return `Its checkpoints are on the cluster that trained it: \`aurora sweep ${file} --checkpoints ${trial.number}\` brings them.`;
  } catch {
    return undefined;
  }
}
