import type { SlurmSettings } from '../../experiment/cluster';
import type { ClusterFiles, SweepFiles } from '../cluster/files';
import { SharedFiles } from '../cluster/shared-files';
import { clusterPlatform, unseenFiles } from '../remote/platform';
import { RsyncFiles } from '../remote/rsync-files';
import type { ClusterShell } from '../remote/shell';

/**
 * Copies a sweep's files to Slurm's nodes: by rsync into `folder`, or not at all, because they share the experiment's.
 *
 * @param shell the login node's, or this machine's if the settings name none
 * @throws AuroraError 'experiment' for a folder or a host that cannot be used
 */
export function slurmFiles(
  { host, folder }: Pick<SlurmSettings, 'host' | 'folder'>,
  shell: ClusterShell,
  sweep: SweepFiles,
): ClusterFiles {
  if (host !== undefined && folder !== undefined) return new RsyncFiles({ ...sweep, host, folder, shell });
  const { dist, home } = sweep;
  if (host === undefined) return new SharedFiles({ dist, home });
  return new SharedFiles({
    ...{ dist, home, place: host },
    platform: () => clusterPlatform(shell),
    unseen: (paths) => unseenFiles(shell, paths),
  });
}
