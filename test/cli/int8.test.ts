import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { modelSource } from '../../src/architectures/model-source';
import { quantizedCopy } from '../../src/quantize/cached';
import { readRun } from '../read-run';
import { CLI, Lab } from './lab';

const lab = new Lab({ training: { precision: 'int8', maxSteps: 12, evaluateEvery: 6, checkpointEvery: 6 } });
afterAll(() => lab.remove());

const column = (run: string, name: string) => [...readRun(run).scalars.column(name)!];
const adapter = (run: string) =>
  readFileSync(join(run, 'checkpoints/step-000012/adapter.safetensors')).toString('hex');

describe('training in int8', () => {
  it.each([
    ['', []],
    [' of weights that are stored in int8', ['--set', 'model.quantize=8']],
  ])('finishes near float32, and from a checkpoint to the same bits%s', (name, set) => {
    const train = (out: string, ...args: string[]) => {
      const r = lab.run('train', lab.experiment, '--out', lab.path(out), ...args);
      expect([r.code, r.err]).toEqual([0, expect.stringContaining('validation loss')]);
      return lab.runs(lab.path(out))[0];
    };
    const int8 = train(`int8${name}`, ...set);
    const full = column(train(`full${name}`, '--set', 'training.precision=float32'), 'loss');
    const losses = column(int8, 'loss');
    expect(losses).not.toEqual(full);
    losses.forEach((loss, i) =>
      expect(Math.abs(loss - full[i]) / full[i], `step ${i + 1}`).toBeLessThan(0.02),
    );

    const before = new Set(lab.runs(lab.path(`int8${name}`)));
    const r = lab.run('train', '--fork', int8, '--at', '6');
    expect([r.code, r.err]).toEqual([0, expect.stringContaining('Resuming at step 6')]);
    const forked = lab.runs(lab.path(`int8${name}`)).find((run) => !before.has(run))!;
    expect(column(forked, 'loss')).toEqual(losses);
    expect(adapter(forked)).toBe(adapter(int8));
  });

  it('is compared with weights in bfloat16 as they are stored, without a copy in float32', () => {
    lab.write('folder/config.json', readFileSync('test/fixtures/hf/bert-base/config.json'));
    lab.write('folder/model.safetensors', readFileSync('test/fixtures/hf/bert-base/model.safetensors'));
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      lab.write(`folder/${name}`, lab.read(name));
    const cache = lab.path('cache');
    const out = lab.path('killed');
    // At the end, the cost of 8 bits is measured beside float32.
    const killed = spawnSync(
      process.execPath,
      [
        ...['--require', resolve('test/cli/kill-at.cjs'), CLI, 'train', lab.experiment, '--out', out],
        ...['--set', 'model.path=folder', '--set', 'model.quantize=8', '--set', 'model.maxLength=8'],
      ],
      {
        encoding: 'utf8',
        env: {
          ...process.env,
          XDG_CACHE_HOME: cache,
          AURORA_TEST_KILL: JSON.stringify({ pattern: 'checkpoints/step-000006$', when: 'after' }),
        },
      },
    );
    expect([killed.signal, killed.stderr]).toEqual([
      'SIGKILL',
      expect.stringContaining('step 6 (epoch 0.5)'),
    ]);
    const kinds = readdirSync(join(cache, 'aurora-lab'));
    expect(kinds).toContain('quantized');
    expect(kinds).not.toContain('weights');
  });

  it('multiplies the integers of a model that has them already, and writes nothing beside it', () => {
    const folder = lab.path('own');
    const copy = quantizedCopy(modelSource(lab.path('model.onnx')), 'int8', lab.path('copies'));
    cpSync(dirname(copy), folder, { recursive: true });
    const before = readdirSync(folder);
    const model = join(folder, basename(copy));
    const set = ['--set', `model.path=${model}`, '--set', `model.tokenizer=${lab.path('tokenizer.json')}`];
    const r = lab.run('train', lab.experiment, '--out', lab.path('integers'), ...set);
    expect([r.code, r.err]).toEqual([0, expect.stringContaining('transposes the weights in int8')]);
    expect(readdirSync(folder)).toEqual(before);
  });
});
