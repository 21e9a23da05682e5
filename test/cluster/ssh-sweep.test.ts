import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, Lab } from '../cli/lab';
import { hasSlurm, Slurm, until } from './slurm';
import { hasSshd, startSshd, type Sshd } from './sshd';
import { SweepFiles, Together } from './trials';

const TRIALS = 24;
const SWEEP = {
  type: 'list',
  trials: [
    { 'training.seed': 1, 'training.epochs': 1200, 'training.checkpointEvery': 300 },
    { 'training.seed': 2, 'training.epochs': 1200, 'training.checkpointEvery': 300 },
    ...Array.from({ length: TRIALS - 2 }, (_, i) => ({ 'training.seed': i + 3 })),
  ],
};
const TRAINING = { epochs: 3, evaluateEvery: 1000, checkpointEvery: 20 };

describe.skipIf(!hasSlurm || !hasSshd)(
  'a sweep of 24 trials on Slurm behind a login node, two at a time',
  () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'a-')));
    const labs: Lab[] = [];
    let slurm: Slurm;
    let sshd: Sshd;
    let local: Lab;

    const newLab = (more: object = {}) => {
      const lab = new Lab({ training: TRAINING, sweep: SWEEP, ...more });
      labs.push(lab);
      return lab;
    };
    /** `aurora sweep` as on a laptop: Slurm's commands find no configuration there. */
    const sweep = (lab: Lab, ...more: string[]) => {
      const child = spawn(process.execPath, [CLI, 'sweep', lab.experiment, ...more], {
        env: { ...process.env, ...sshd.env, AURORA_CLUSTER_LOOK_MS: '500' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const process_ = { child, text: '', ended: undefined as unknown as Promise<number | null> };
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => (process_.text += text));
      process_.ended = new Promise((resolve) => child.once('close', resolve));
      return process_;
    };

    beforeAll(async () => {
      slurm = await Slurm.start();
      const { PATH, SLURM_CONF } = slurm.env;
      sshd = await startSshd(join(folder, 'sshd'), { PATH: PATH!, SLURM_CONF: SLURM_CONF! });
      local = newLab();
      const locally = sweep(local, '--parallel', '2', '--threads', '1', '--device', 'cpu');
      expect(await locally.ended, locally.text).toBe(0);
    });
    afterAll(async () => {
      await sshd?.stop();
      await slurm?.stop();
      for (const lab of labs) lab.remove();
      rmSync(folder, { recursive: true, force: true });
    });

    it.each([
      ['whose nodes share the folder', false],
      ['that shares nothing with this machine', true],
    ])('%s, ends like a local one', async (_, isApart) => {
      const there = isApart ? mkdtempSync(join(folder, 'there-')) : undefined;
      const settings = {
        host: 'cluster',
        parallel: 2,
        memory: '3G',
        ...(there !== undefined && { folder: there }),
      };
      const lab = newLab({ cluster: { slurm: settings } });
      const files = new SweepFiles(lab);
      const together = new Together(lab.folder);
      const queue = sweep(lab, '--on', 'slurm');
      const step = async (what: string, isSo: () => boolean) => {
        await until(what, () => queue.child.exitCode !== null || isSo(), 120_000).catch((e: Error) => {
          throw new Error(`${e.message}:\n${queue.text}\n${slurm.command('squeue', '--states=all')}`);
        });
        if (queue.child.exitCode !== null) throw new Error(`the queue ended before ${what}:\n${queue.text}`);
      };
      const state = (number: number) => files.onCluster(number)?.state;
      const job = (number: number) => files.onCluster(number)!.job;

      // Their curves are here while they train.
      await step(
        'the first two to train',
        () => files.cluster !== undefined && files.step(1) > 0 && files.step(2) > 0,
      );
      // A fast machine must not train it before it is canceled.
      slurm.command('scontrol', 'hold', job(TRIALS));
      slurm.command('scontrol', 'requeue', job(1));
      await step('the requeued one to wait', () => state(1) === 'preempted');

      await sshd.stop();
      await step('the login node to be missed', () => files.cluster?.unreachable !== undefined);
      await sshd.start();
      await step('the login node to answer', () => files.cluster?.unreachable === undefined);

      // A laptop that is closed: another process continues.
      queue.child.kill('SIGKILL');
      await queue.ended;
      const second = sweep(lab);
      const continues = async (what: string, isSo: () => boolean) => {
        await until(what, () => second.child.exitCode !== null || isSo(), 120_000).catch((e: Error) => {
          throw new Error(`${e.message}:\n${second.text}\n${slurm.command('squeue', '--states=all')}`);
        });
        if (second.child.exitCode !== null)
          throw new Error(`the queue ended before ${what}:\n${second.text}`);
      };
      await continues('the last one to be queued', () => state(TRIALS) === 'queued');
      slurm.command('scancel', job(TRIALS));
      await continues('one to be canceled', () => state(TRIALS) === 'cancelled');
      const cancelling = sweep(lab, '--cancel', 'all');
      expect(await cancelling.ended, cancelling.text).toBe(0);
      expect(await second.ended, second.text).toBe(130);
      await until('Slurm to be empty', () => slurm.command('squeue', '-h') === '', 60_000);

      const last = sweep(lab);
      expect(await last.ended, last.text).toBe(0);
      together.stop();
      expect(together.found).toEqual([]);
      expect(together.most).toBe(2);
      expect(files.results()).toEqual(new SweepFiles(local).results());
      const log = files.onCluster(3)!.log!;
      expect(log.startsWith(lab.folder) && existsSync(log), log).toBe(true);
      expect(readFileSync(log, 'utf8')).toContain('Finished.');
      // Nothing in what came back is a path of the cluster.
      const spec = readFileSync(join(files.runs, files.trial(3).run!, 'spec.json'), 'utf8');
      expect(spec).toContain(lab.path('model.onnx'));
      expect(there !== undefined && spec.includes(there)).toBe(false);
    });
  },
);
