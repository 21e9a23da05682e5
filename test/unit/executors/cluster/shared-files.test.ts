import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SharedFiles } from '../../../../src/executors/cluster/shared-files';
import type { Experiment } from '../../../../src/experiment/experiment';
import { scratchFolder } from '../../../scratch';

const folder = scratchFolder('shared-files');
const home = join(folder, '.aurora');

describe('a folder that the cluster shares', () => {
  it('gets the trainer once', async () => {
    const files = new SharedFiles({ dist: resolve('dist'), home });
    const [there, again] = await Promise.all([files.sendTrainer(), files.sendTrainer()]);
    expect(again).toBe(there);
    expect(existsSync(there.program)).toBe(true);
    expect(readdirSync(join(home, 'trainers'))).toEqual([there.hash]);
  });

  it('gets none if its system is another one, and says where to start the sweep', async () => {
    const platform = async () => ({ platform: 'linux', arch: 'riscv64' });
    const files = new SharedFiles({ dist: resolve('dist'), home, platform, place: 'login.example.org' });
    await expect(files.sendTrainer()).rejects.toMatchObject({
      kind: 'device',
      message:
        'This build of AuroRA Lab has no ONNX Runtime for linux-riscv64, the system of login.example.org.',
      hint: expect.stringContaining('Remote - SSH'),
    });
  });

  it('is checked for files that the cluster does not see, each once', async () => {
    const data = join(folder, 'data');
    mkdirSync(data);
    for (const name of ['a-1.csv', 'a-2.csv', 'model.onnx']) writeFileSync(join(data, name), '');
    const asked: string[][] = [];
    let unseen: string[] = [];
    const files = new SharedFiles({
      dist: resolve('dist'),
      home,
      place: 'login.example.org',
      unseen: async (paths) => {
        asked.push(paths.map((path) => path.slice(data.length + 1)).sort());
        return unseen;
      },
    });
    const spec = {
      model: { path: join(data, 'model.onnx'), tokenizer: join(data, 'none.json') },
      data: { train: join(data, 'a-*.csv') },
    } as Experiment;
    unseen = [join(data, 'a-2.csv')];
    await expect(files.sendSubmission(folder, [spec])).rejects.toMatchObject({
      kind: 'experiment',
      message: `${join(data, 'a-2.csv')} is not visible on login.example.org.`,
    });
    unseen = [];
    await files.sendSubmission(folder, [spec, spec]);
    await files.sendSubmission(folder, [spec]);
    const all = ['a-1.csv', 'a-2.csv', 'model.onnx'];
    expect(asked).toEqual([all, all]);
  });

  it('has requests for runs that have begun', async () => {
    const run = join(folder, 'run');
    mkdirSync(run);
    const files = new SharedFiles({ dist: resolve('dist'), home });
    await files.request([run, join(folder, 'none')], 'stop');
    expect(readdirSync(join(run, 'control'))).toEqual(['stop']);
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});
