import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ClusterFiles } from '../../../../src/executors/cluster/files';
import type { JobRef } from '../../../../src/executors/cluster/scheduler';
import { SlurmScheduler } from '../../../../src/executors/slurm/scheduler';
import type { ClusterShell } from '../../../../src/executors/slurm/shell';
import { scratchFolder } from '../../../scratch';

const home = scratchFolder('slurm-scheduler');

function program(name: string, script: string): void {
  writeFileSync(join(home, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

const env = { PATH: `${home}:${process.env.PATH}`, SBATCH_JOB_NAME: 'mine', SBATCH_PARTITION: 'long' };

const shell: ClusterShell = {
  name: 'the test',
  run(script, { input = '' } = {}) {
    const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', script], { input, env, encoding: 'utf8' });
    return Promise.resolve({ code: status ?? 1, stdout, stderr });
  },
};

const files = {
  there: (path: string) => path,
  sendTrainer: () => Promise.resolve({ program: '/trainer/cli.cjs', hash: '' }),
} as unknown as ClusterFiles;

it.runIf(process.platform !== 'win32')(
  'names its jobs itself, whatever variables of sbatch are set',
  async () => {
    mkdirSync(home, { recursive: true });
    program('scontrol', 'echo "ClusterName = test"; echo "MaxArraySize = 1001"');
    program('squeue', 'exit 0');
    program('sbatch', `cat > /dev/null; env | grep ^SBATCH_ > '${home}/variables'; echo 7`);
    const jobs: JobRef[] = [];
    const tasks = [{ trial: 't1', number: 1, run: 'run-1', step: 0 }];
    const submission = { name: 'aurora-1f0c9a42-1-00ff', folder: home, tasks, jobs: [] };
    await new SlurmScheduler({}, shell, files).submit(submission, (job) => jobs.push(job));
    expect(jobs).toEqual([{ id: '7', first: 0, count: 1 }]);
    // The partition may be the user's, or the site's.
    expect(readFileSync(join(home, 'variables'), 'utf8')).toBe('SBATCH_PARTITION=long\n');
  },
);
