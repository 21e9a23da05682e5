import { join } from 'node:path';
import type { SlurmSettings } from '../../experiment/cluster';
import type { Cluster } from '../cluster/cluster';
import type { SweepFiles } from '../cluster/files';
import { slurmFiles } from './files';
import { SlurmScheduler } from './scheduler';
import { localShell, sshShell } from '../remote/shell';

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
