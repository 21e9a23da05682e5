import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Lab } from '../cli/lab';
import { writeImages, writeModels } from '../cli/small-paper-data';
import { Queue } from './queue';
import { hasSlurm, Slurm } from './slurm';
import { hasSshd, startSshd, type Sshd } from './sshd';

describe.skipIf(!hasSlurm || !hasSshd)('a table of the paper on Slurm', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'a-')));
  const lab = new Lab();
  let slurm: Slurm;
  let sshd: Sshd;

  afterEach(async () => {
    await Queue.killAll();
    await sshd?.stop();
    await slurm?.stop();
  });
  afterAll(() => {
    lab.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is that of this machine, also without a shared folder', async () => {
    writeModels(lab);
    writeImages(lab, 'cifar-10');
    const table = (out: string, env: NodeJS.ProcessEnv, ...more: string[]) => {
      const data = ['--model', lab.path('models/vit'), '--size', 'base', '--data', lab.folder];
      const trials = ['--tasks', 'cifar-10', '--seeds', '2', '--rates', '1e-2'];
      const small = ['--set', 'training.maxSteps=2', '--device', 'cpu', '--threads', '1'];
      const args = ['reproduce', 'images', ...data, ...trials, ...small, '--out', lab.path(out), ...more];
      return new Queue(args, env);
    };
    const filesOf = (out: string) =>
      ['table.md', 'table.csv'].map((name) => readFileSync(join(lab.path(out), name), 'utf8'));
    const here = table('here', process.env, '--parallel', '2');
    expect(await here.ended, here.text).toBe(0);
    slurm = await Slurm.start();
    const { PATH, SLURM_CONF } = slurm.env;
    sshd = await startSshd(mkdtempSync(join(folder, 's')), { PATH: PATH!, SLURM_CONF: SLURM_CONF! });
    const there = mkdtempSync(join(folder, 'there-'));
    const settings = { slurm: { parallel: 2, memory: '3G', host: 'cluster', folder: there } };
    lab.write('cluster.json', JSON.stringify(settings));
    const env = { ...process.env, ...sshd.env };
    const onSlurm = table('there', env, '--on', 'slurm', '--cluster', lab.path('cluster.json'));
    expect(await onSlurm.ended, onSlurm.text).toBe(0);
    // Methods are compared example by example, by predictions that need the adapters here.
    expect(onSlurm.text).toContain('Predicting the examples');
    expect(onSlurm.text).not.toContain('warning');
    expect(filesOf('there')).toEqual(filesOf('here'));
  });
});
