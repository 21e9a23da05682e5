import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readRun } from '../read-run';
import { quoted, writeParquet } from '../unit/data/table/duckdb';
import { CLI, Lab } from './lab';
import { pictured, writePictures } from './pictures';

const COUNT = 48;
const lab = new Lab({
  task: { type: 'image-classification', head: 'linear' },
  adapter: { method: 'aurora', targetModules: ['query', 'value'] },
  training: { epochs: 2, evaluateEvery: 6 },
});
afterAll(() => lab.remove());
const LARGE = { ...process.env, AURORA_TEST_LARGE_BYTES: '0', XDG_CACHE_HOME: lab.path('cache') };

const train = (env: NodeJS.ProcessEnv, ...args: string[]) =>
  spawnSync(process.execPath, [...args.slice(0, -3), CLI, 'train', ...args.slice(-3)], {
    encoding: 'utf8',
    env,
  });

const bits = (run: string) =>
  createHash('sha256')
    .update(readFileSync(join(run, 'adapter/last/adapter_model.safetensors')))
    .digest('hex');
const evaluations = (run: string) =>
  readRun(run).events.flatMap((e) => (e.kind === 'evaluation' ? [[e.step, e.metrics]] : []));

it('images in several Parquet files train from disk to the same bits as in memory, also after a kill', async () => {
  copyFileSync(resolve('test/fixtures/reference/vit.onnx'), lab.path('model.onnx'));
  writePictures(lab, COUNT);
  mkdirSync(lab.path('data'));
  for (const part of [0, 1]) {
    const rows = Array.from({ length: COUNT / 2 }, (_, k) => {
      const i = part * (COUNT / 2) + k;
      const hex = readFileSync(lab.path(`images/${i}.png`)).toString('hex');
      return `({'bytes': from_hex('${hex}'), 'path': ${quoted(`${i}.png`)}}, ${quoted(pictured(i))})`;
    });
    const path = lab.path(`data/train-0000${part}-of-00002.parquet`);
    await writeParquet(path, `select * from (values ${rows.join(', ')}) t(image, label)`);
  }
  const spec = JSON.parse(lab.read('tiny.aurora.json')) as Record<string, object>;
  const data = { train: 'data/train-*.parquet', validationFraction: 0.25, augmentation: { flip: 0.5 } };
  lab.write('tiny.aurora.json', JSON.stringify({ ...spec, model: { path: 'model.onnx' }, data }));
  const [memory, disk] = [lab.fresh('memory'), lab.fresh('disk')];
  expect(train(process.env, lab.experiment, '--out', memory)).toMatchObject({ status: 0 });
  const moment = { pattern: 'checkpoints/step-000006$', when: 'after', signal: 'SIGKILL' };
  const killing = { ...LARGE, AURORA_TEST_KILL: JSON.stringify(moment) };
  const kill = ['--require', resolve('test/cli/kill-at.cjs')];
  expect(train(killing, ...kill, lab.experiment, '--out', disk).signal).toBe('SIGKILL');
  const [a, b] = [memory, disk].map((out) => lab.runs(out)[0]!);
  expect(existsSync(join(b, 'result.json'))).toBe(false);
  expect(
    spawnSync(process.execPath, [CLI, 'train', '--resume', b], { encoding: 'utf8', env: LARGE }),
  ).toMatchObject({ status: 0, stderr: expect.stringContaining('Resuming at step 6') as string });
  expect(bits(b)).toBe(bits(a));
  expect(evaluations(b)).toEqual(evaluations(a));
});
