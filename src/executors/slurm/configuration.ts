import type { ClusterShell } from '../remote/shell';
import { slurmError } from './slurm-errors';

/** The settings of the cluster's administrator. */
export interface SlurmConfiguration {
  /** The cluster's name, equal on all of its login nodes. */
  name: string;
  /** The most tasks of an array: its indices are below this. */
  maxArraySize: number;
  /** The number of milliseconds for which it knows a job that has ended. */
  minJobAge: number;
  /** True if `sacct` knows jobs that the controller has forgotten. */
  accounting: boolean;
}

/** Slurm's commands may be on the path of login shells only. */
export const ON_PATH = 'command -v scontrol > /dev/null 2>&1 || . /etc/profile > /dev/null 2>&1\n';

/** @throws AuroraError 'network' if Slurm does not answer, 'experiment' if it is not there */
export async function readConfiguration(shell: ClusterShell, name: string): Promise<SlurmConfiguration> {
  const output = await shell.run(`${ON_PATH}scontrol show config`);
  if (output.code !== 0) throw slurmError(name, output, 'scontrol');
  const value = (key: string) => new RegExp(`^${key}\\s*= (.*)$`, 'm').exec(output.stdout)?.[1]?.trim();
  const storage = value('AccountingStorageType') ?? '';
  return {
    name: value('ClusterName') ?? '',
    // 0 switches arrays off, which sbatch then reports.
    maxArraySize: Number(value('MaxArraySize')) || 1,
    minJobAge: (Number.parseInt(value('MinJobAge') ?? '', 10) || 300) * 1000,
    accounting: /slurmdbd|mysql/.test(storage),
  };
}
