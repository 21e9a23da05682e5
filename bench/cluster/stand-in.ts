import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobRef } from '../../src/executors/cluster/scheduler';
import { Submissions } from '../../src/executors/cluster/submissions';
import { jobName } from '../../src/executors/slurm/slurm-queue';

/**
 * Writes Slurm's commands into a folder for PATH: a controller that still knows every task of the sweep's first submission
 * as ended, one line each, and takes each new array.
 */
export function writeStandIn(folder: string, sweep: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const [submission] = new Submissions(sweep).read().own;
  const line = (job: JobRef, task: number) =>
    `${[job.id, task, jobName(submission, job), 'COMPLETED', 'None', 'node1', 0, '0:0'].join('|')}|\n`;
  const lines = submission.jobs.flatMap((job) => Array.from({ length: job.count }, (_, i) => line(job, i)));
  writeFileSync(join(folder, 'squeue.txt'), lines.join(''));
  const commands = {
    scontrol: 'echo "ClusterName = simulated"; echo "MaxArraySize = 1001"; echo "MinJobAge = 300 sec"',
    sbatch: '[ "$1" = --test-only ] || echo $$; cat > /dev/null',
    squeue: `cat '${join(folder, 'squeue.txt')}'`,
    scancel: ':',
  };
  for (const [name, script] of Object.entries(commands)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}
