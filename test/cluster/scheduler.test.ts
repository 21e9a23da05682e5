import { mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AuroraError } from '../../src/base/errors';
import type { ClusterFiles } from '../../src/executors/cluster/cluster';
import type { JobRef, Submission } from '../../src/executors/cluster/scheduler';
import { SlurmScheduler } from '../../src/executors/slurm/slurm-scheduler';
import { localShell, type ClusterShell } from '../../src/executors/remote/shell';
import type { SlurmSettings } from '../../src/experiment/cluster';
import { hasSlurm, Slurm } from './slurm';
import { until } from '../until';

describe.skipIf(!hasSlurm)('job arrays on a real Slurm', () => {
  let slurm: Slurm;
  let program: string;
  beforeAll(async () => {
    slurm = await Slurm.start({ nodes: ['node1'], maxArraySize: 4 });
    vi.stubEnv('PATH', slurm.env.PATH);
    vi.stubEnv('SLURM_CONF', slurm.env.SLURM_CONF);
    program = join(slurm.folder, "it's a trainer.cjs");
    // In place of the trainer: says which task it got.
    writeFileSync(
      program,
      `console.log('task', require('node:path').basename(process.argv[3])); setTimeout(() => undefined, 300);`,
    );
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await slurm?.stop();
  });

  const files = {
    there: (path: string) => path,
    sendTrainer: () => Promise.resolve({ program, hash: '' }),
  } as unknown as ClusterFiles;
  const scheduler = (settings: SlurmSettings = {}) =>
    new SlurmScheduler({ node: process.execPath, ...settings }, localShell(), files);

  let last = 0;
  function newSubmission(n: number, parallel?: number): Submission {
    const folder = mkdtempSync(join(slurm.folder, "a study's "));
    mkdirSync(join(folder, 'logs'));
    const tasks = Array.from({ length: n }, (_, i) => ({
      trial: `t${i}`,
      number: i + 1,
      run: `r${i}`,
      step: 0,
    }));
    return { name: `aurora-1f-${++last}-aa`, folder, tasks, jobs: [], ...(parallel && { parallel }) };
  }
  const logs = ({ folder }: Submission) =>
    readdirSync(join(folder, 'logs')).map((name) => readFileSync(join(folder, 'logs', name), 'utf8').trim());
  const endOf = (submission: Submission) =>
    until(() => slurm.command('squeue', '-h', `--name=${namesOf(submission)}`).trim() === '', 100);
  const namesOf = ({ name, tasks, jobs }: Submission) =>
    jobs
      .map((j) => (j.count === tasks.length ? name : `${name}.${j.first}-${j.first + j.count - 1}`))
      .join(',');

  it('are split at the largest size, have no more tasks at a time together, and run each task once', async () => {
    const jobs: JobRef[] = [];
    const submission = newSubmission(10, 2);
    await scheduler().submit(submission, (job) => jobs.push(job));
    expect(jobs.map(({ first, count }) => [first, count])).toEqual([
      [0, 4],
      [4, 4],
      [8, 2],
    ]);
    const whole = { ...submission, jobs };
    const [waiting] = await scheduler().states([whole]);
    expect(waiting!.get(9)).toMatchObject({ state: 'queued', job: `${jobs[2]!.id}_1` });
    let most = 0;
    await until(() => {
      const states = slurm.command('squeue', '-h', `--name=${namesOf(whole)}`, '-r', '-o', '%T').split('\n');
      most = Math.max(most, states.filter((state) => state === 'RUNNING').length);
      return states.every((state) => state === '');
    }, 100);
    expect(most).toBeLessThanOrEqual(2);
    expect(logs(whole).sort()).toEqual(whole.tasks.map((_, i) => `task ${i}.json`).sort());
    const [states] = await scheduler().states([whole]);
    expect([...states!.values()].map(({ state }) => state)).toEqual(Array(10).fill('finished'));
    expect(states!.get(5)!.log).toBe(join(whole.folder, 'logs', `${jobs[1]!.id}_1.log`));
  });

  it('are found by name after a kill before they were recorded', async () => {
    const submission = newSubmission(6);
    const first: JobRef[] = [];
    const killed = scheduler().submit(submission, (job) => {
      first.push(job);
      throw new Error('killed');
    });
    await expect(killed).rejects.toThrow('killed');
    const jobs: JobRef[] = [];
    await scheduler().submit(submission, (job) => jobs.push(job));
    expect(jobs[0]).toEqual(first[0]);
    expect(jobs.map(({ first, count }) => [first, count])).toEqual([
      [0, 4],
      [4, 2],
    ]);
    await endOf({ ...submission, jobs });
    expect(logs(submission)).toHaveLength(6);
  });

  it('are found when they appear after their answer was lost, and cancelled if they appear twice', async () => {
    const submission = newSubmission(3);
    const later: Promise<unknown>[] = [];
    const lossy: ClusterShell = {
      name: 'a slow node',
      run(script, options) {
        if (!script.includes('sbatch --parsable')) return localShell().run(script, options);
        later.push(wait(1500).then(() => localShell().run(script, options)));
        return Promise.reject(new AuroraError('network', 'The connection was lost.'));
      },
    };
    const settings = { node: process.execPath, options: ['--begin=now+1hour'] };
    const own = new SlurmScheduler(settings, lossy, files);
    await expect(own.submit(submission, () => undefined)).rejects.toThrow('was lost');
    const jobs: JobRef[] = [];
    await own.adopt(submission, (job) => jobs.push(job));
    expect(jobs).toEqual([]);
    await Promise.all(later);
    await own.adopt(submission, (job) => jobs.push(job));
    expect(jobs).toMatchObject([{ first: 0, count: 3 }]);

    slurm.command(
      'sbatch',
      `--job-name=${submission.name}`,
      '--begin=now+1hour',
      '--array=0-2',
      '--wrap=true',
    );
    const whole = { ...submission, jobs };
    await own.states([whole]);
    const states = () => slurm.command('squeue', '-h', '-o', '%F %T').trim().split('\n');
    expect(states()).toEqual([`${jobs[0]!.id} PENDING`]);
    await own.cancel(whole, 'all');
    await endOf(whole);
  });

  it('are cancelled task by task, also those that somebody else cancels', async () => {
    const own = scheduler({ memory: '4000M' });
    const submission = newSubmission(4);
    const jobs: JobRef[] = [];
    await own.submit(submission, (job) => jobs.push(job));
    const whole = { ...submission, jobs };
    await own.cancel(whole, [1]);
    slurm.command('scancel', `${jobs[0]!.id}_3`);
    const [states] = await own.states([whole]);
    expect([1, 3].map((i) => states!.get(i)?.state)).toEqual(['cancelled', 'cancelled']);
    await own.cancel(whole, 'all');
    await own.cancel(whole, [2]);
    await until(() => slurm.command('squeue', '-h').trim() === '', 100);
    const [end] = await own.states([whole]);
    expect([...end!.values()].every(({ state }) => state === 'cancelled' || state === 'finished')).toBe(true);
  });

  it.each([
    [{ partition: 'gpu' }, /Slurm has no partition "gpu"/],
    [{ memory: '900G' }, /no node of the partition has what a trial asks for/],
    [{ cpus: 99 }, /no node of the partition has what a trial asks for/],
    [{ gres: 'gpu:1' }, /no such generic resource/],
    [{ constraint: 'a100' }, /no node has these features/],
    [{ reservation: 'mine' }, /the reservation is not known/],
    [{ options: ['--bogus=1'] }, /sbatch does not know the option "?--bogus/],
  ] as const)('are refused in plain words: %j', async (settings, message) => {
    await expect(scheduler(settings as SlurmSettings).check()).rejects.toMatchObject({
      kind: 'experiment',
      message: expect.stringMatching(message) as string,
    });
  });

  it('pass options as they are written', async () => {
    const submission = newSubmission(1);
    const jobs: JobRef[] = [];
    const settings = {
      options: ['--comment=my "first" study'],
      modules: [],
      prologue: ['echo from the prologue'],
    };
    await scheduler(settings).submit(submission, (job) => jobs.push(job));
    expect(slurm.command('scontrol', 'show', 'job', jobs[0]!.id)).toContain('Comment=my "first" study');
    await endOf({ ...submission, jobs });
    expect(logs(submission)).toEqual(['from the prologue\ntask 0.json']);
  });

  it('are not lost while the controller is not responding', async () => {
    await slurm.killController();
    await expect(scheduler().check()).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringMatching(/^Slurm on this machine is not responding: /) as string,
    });
    slurm.startController();
  });
});
