import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ClusterFiles } from '../../../../src/executors/cluster/cluster';
import type { JobRef } from '../../../../src/executors/cluster/scheduler';
import { SlurmScheduler } from '../../../../src/executors/slurm/slurm-scheduler';
import type { ClusterShell } from '../../../../src/executors/remote/shell';
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

it.runIf(process.platform !== 'win32').each([
  ['is ended after its time', 'exit 124'],
  ['is killed', 'kill -9 $$'],
  ['says nothing', 'exit 0'],
])('does not know whether a job was accepted if sbatch %s', async (_, script) => {
  program('sbatch', script);
  const tasks = [{ trial: 't1', number: 1, run: 'run-1', step: 0 }];
  const submission = { name: 'aurora-1f0c9a42-1-00ff', folder: home, tasks, jobs: [] };
  await expect(
    new SlurmScheduler({}, shell, files).submit(submission, () => undefined),
  ).rejects.toMatchObject({
    kind: 'network',
    message: expect.stringContaining('has not said whether it accepted') as string,
  });
});

describe('arrays of one task', () => {
  /** The longest argument of a program on Linux. */
  const LONGEST = 128 * 1024;
  const COUNT = 5000;

  /** A Slurm that has accepted everything, and lets nothing begin. */
  class Slurm implements ClusterShell {
    readonly name = 'the test';
    readonly queue: { id: number; name: string }[] = [];
    readonly cancelled: string[] = [];
    longest = 0;

    async run(script: string, { input = '' }: { input?: string | Uint8Array } = {}) {
      this.longest = Math.max(this.longest, script.length);
      return { code: 0, stdout: this.answer(script, String(input)), stderr: '' };
    }

    private answer(script: string, input: string): string {
      if (script.includes('show config')) return 'ClusterName = test\nMaxArraySize = 1\n';
      if (script.includes('sbatch')) {
        const id = 100 + this.queue.length;
        this.queue.push({ id, name: /--job-name=(\S+)/.exec(input)![1]! });
        return `${id}\n`;
      }
      if (script.includes('squeue'))
        return this.queue.map(({ id, name }) => `${id}|0|${name}|PENDING|Priority||0|0:0|\n`).join('');
      this.cancelled.push(...[...script.matchAll(/'(\d+)(?:_\[0\])?'/g)].map(([, id]) => id!));
      return '';
    }
  }

  const tasks = Array.from({ length: COUNT }, (_, i) => ({
    trial: `t${i}`,
    number: i + 1,
    run: `run-${i}`,
    step: 0,
  }));

  it('are submitted, followed and cancelled in commands of bounded length', async () => {
    const slurm = new Slurm();
    const scheduler = new SlurmScheduler({}, slurm, files);
    const jobs: JobRef[] = [];
    const submission = { name: 'aurora-1f0c9a42-1-00ff00ff', folder: home, tasks, jobs };
    await scheduler.submit({ ...submission, jobs: [] }, (job) => jobs.push(job));
    expect(jobs).toHaveLength(COUNT);
    const [states] = await scheduler.states([submission]);
    expect([...states!.values()].filter(({ state }) => state === 'queued')).toHaveLength(COUNT);
    await scheduler.cancel(submission, 'all');
    expect(slurm.cancelled).toEqual(jobs.map(({ id }) => id));
    await scheduler.cancel(
      submission,
      tasks.map((_, i) => i),
    );
    expect(slurm.cancelled).toHaveLength(2 * COUNT);
    expect(slurm.longest).toBeLessThan(LONGEST);
  });

  it('are cancelled if the controller has them twice', async () => {
    const slurm = new Slurm();
    const scheduler = new SlurmScheduler({}, slurm, files);
    const jobs: JobRef[] = [];
    const submission = { name: 'aurora-1f0c9a42-1-00ff00ff', folder: home, tasks: tasks.slice(0, 2), jobs };
    await scheduler.submit({ ...submission, jobs: [] }, (job) => jobs.push(job));
    slurm.queue.push({ id: 200, name: slurm.queue[1]!.name }, { id: 201, name: 'aurora-of-another-sweep' });
    await scheduler.states([submission]);
    expect(slurm.cancelled).toEqual(['200']);
  });
});
