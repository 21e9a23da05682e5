import { join } from 'node:path';
import type { SlurmSettings } from '../../experiment/cluster';
import type { Cluster, ClusterFiles, SweepFiles } from '../cluster/cluster';
import { SharedFiles } from '../cluster/shared-files';
import { clusterPlatform, unseenFiles } from '../remote/platform';
import { RsyncFiles } from '../remote/rsync-files';
import { type ClusterShell, localShell, sshShell } from '../remote/shell';
import { SlurmScheduler } from './slurm-scheduler';

/**
 * Slurm on this machine, or by ssh on a login node.
 *
 * @throws AuroraError 'experiment' for a host or a folder that cannot be used
 */
export function slurmCluster(settings: SlurmSettings, sweep: SweepFiles): Cluster {
  const { host, parallel, cpus = 1, gres = '', options: more = [] } = settings;
  const shell = host === undefined ? localShell() : sshShell(host);
  const files = slurmFiles(settings, shell, sweep);
  const scheduler = new SlurmScheduler(settings, shell, files);
  return {
    place: host ?? '',
    scheduler,
    files,
    parallel,
    threads: cpus,
    gpu: [gres, ...more].some((text) => /\bgpu/i.test(text)),
    async preview(submission) {
      // It is sent, and named by its hash, only with the first submission.
      const program = files.there(join(sweep.home, 'trainers', 'HASH', 'cli.cjs'));
      return scheduler.scriptWith({ program }, submission, { first: 0, count: submission.tasks.length });
    },
  };
}

/**
 * Copies a sweep's files to Slurm's nodes: by rsync into `folder`, or not at all, because they share the experiment's.
 *
 * @param shell the login node's, or this machine's if the settings name none
 * @throws AuroraError 'experiment' for a folder or a host that cannot be used
 */
function slurmFiles(
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
