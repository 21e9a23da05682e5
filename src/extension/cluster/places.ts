import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { ClusterSettings, ExecutorName } from '../../experiment/cluster';

/** Where a sweep can run. */
export interface Place {
  on: ExecutorName;
  /** What is known of it; undefined if nothing has configured it. */
  cluster?: {
    /** The login node or the context; empty: this machine, or the current context. */
    place: string;
    /** `path`: Slurm's commands are on this machine. */
    from: 'experiment' | 'setting' | 'path';
  };
}

/**
 * This machine, then the clusters.
 *
 * @param section the experiment's `cluster` section, which comes before the machine's setting, key by key
 */
export function placesOf(
  section: ClusterSettings = {},
  setting: ClusterSettings = {},
  hasSlurm: boolean,
): Place[] {
  const from = (on: 'slurm' | 'kubernetes') =>
    section[on] ? 'experiment' : setting[on] ? 'setting' : undefined;
  const slurm = from('slurm') ?? (hasSlurm ? 'path' : undefined);
  const kubernetes = from('kubernetes');
  const host = section.slurm?.host ?? setting.slurm?.host ?? '';
  const context = section.kubernetes?.context ?? setting.kubernetes?.context ?? '';
  return [
    { on: 'local' },
    { on: 'slurm', ...(slurm && { cluster: { place: host, from: slurm } }) },
    { on: 'kubernetes', ...(kubernetes && { cluster: { place: context, from: kubernetes } }) },
  ];
}

export const isConfigured = ({ on, cluster }: Place): boolean => on === 'local' || cluster !== undefined;

/** Whether a program is on the PATH. */
export async function isOnPath(program: string, path = process.env.PATH ?? ''): Promise<boolean> {
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue;
    try {
      await access(join(folder, program), constants.X_OK);
      return true;
    } catch {
      // The next one may have it.
    }
  }
  return false;
}
