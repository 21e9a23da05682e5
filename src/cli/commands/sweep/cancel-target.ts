import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AuroraError } from '../../../base/errors';
import { isWithScheduler, type ClusterFile } from '../../../protocol/run-files/cluster';
import { experimentSweeps } from '../../../runs/layout';
import { ownerOfRun } from '../../../runs/status';
import { readCluster } from '../../../runs/sweep/cluster-file';

/**
 * The sweep of an experiment file or, if nothing of it waits or runs and the file was changed, those that its earlier versions
 * have begun and that may.
 *
 * @param folder the sweep of the file as it is
 * @param given the value of `--cancel`: numbers are those of one sweep
 * @throws AuroraError 'usage' if numbers could be those of several sweeps
 */
export async function sweepsToCancel(file: string, folder: string, given: string): Promise<string[]> {
  const live = await liveSweeps(experimentSweeps(file));
  if (live.includes(folder) || live.length === 0) return [folder];
  const names = live.map((one) => basename(one)).join(', ');
  if (live.length > 1 && given !== 'all')
    throw new AuroraError(
      'usage',
      `${file} was changed since its trials were submitted, and ${live.length} sweeps of earlier versions have trials that may wait or run: ${names}.`,
      'Change the file back to one of them, or cancel all their trials with --cancel all.',
    );
  process.stderr.write(
    `${file} was changed since its trials were submitted: this cancels those of ${live.length === 1 ? 'the sweep' : 'the sweeps'} ${names}.\n`,
  );
  return live;
}

/** The sweeps in a folder that a process runs, or whose trials waited or ran on a cluster when it was last asked. */
async function liveSweeps(sweeps: string): Promise<string[]> {
  const live: string[] = [];
  for (const name of existsSync(sweeps) ? readdirSync(sweeps) : []) {
    const folder = join(sweeps, name);
    const trials = Object.values(clusterTrials(folder));
    if (trials.some(isWithScheduler) || (await ownerOfRun(folder))) live.push(folder);
  }
  return live;
}

function clusterTrials(folder: string): ClusterFile['trials'] {
  try {
    return readCluster(folder)?.trials ?? {};
  } catch {
    // Damaged: the process that follows the sweep writes it again.
    return {};
  }
}
