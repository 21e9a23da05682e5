import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRun } from '../read-run';
import { EXIT } from '../../src/base/errors';
import { CLI, Lab } from './lab';

const lab = new Lab({ training: { epochs: 1 } });
afterAll(() => lab.remove());

/** The folder in which GPU support would be installed. */
const support = lab.path('support');
const home = join(support, 'tensorflow', 'node_modules', '@tensorflow', 'tfjs-node-gpu');
const loaded = join(home, 'loaded');

/**
 * The package without its native library, which tests cannot download: a separate copy of tfjs-core with a
 * backend named `tensorflow`. As in the package, loading it needs a function that Node 23 removed.
 */
const STAND_IN = `
  import '@tensorflow/tfjs-core/dist/register_all_gradients';
  import * as tf from '@tensorflow/tfjs-core';
  import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
  import { existsSync, writeFileSync } from 'node:fs';
  import { join } from 'node:path';
  import util from 'node:util';
  if (!util.isNullOrUndefined(undefined)) throw new Error('Not the function that was removed.');
  tf.registerBackend('tensorflow', () =>
    Object.assign(new MathBackendCPU(), { isUsingGpuDevice: !existsSync(join(__dirname, 'no-gpu')) }));
  tf.copyRegisteredKernels('cpu', 'tensorflow');
  tf.removeBackend('cpu');
  writeFileSync(${JSON.stringify(loaded)}, process.version);
  export * from '@tensorflow/tfjs-core';
`;

beforeAll(async () => {
  mkdirSync(home, { recursive: true });
  const name = '@tensorflow/tfjs-node-gpu';
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name, version: '4.22.0', main: 'index.js' }));
  await build({
    stdin: { contents: STAND_IN, resolveDir: resolve('.') },
    outfile: join(home, 'index.js'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
  });
});

function train(node: string, out: string, gpuSupport = support, ...more: string[]) {
  const args = ['train', lab.experiment, '--out', out, '--engine', 'tfjs', '--device', 'tensorflow', ...more];
  const env = { ...process.env, AURORA_GPU_SUPPORT: gpuSupport };
  const { status, stderr } = spawnSync(node, [CLI, ...args], { encoding: 'utf8', env, timeout: 120_000 });
  return { code: status, err: stderr };
}

/** This Node, and the newest one in the installed workbench. */
const workbench = resolve('.cache/workbench');
const newer = (existsSync(workbench) ? readdirSync(workbench) : [])
  .filter((name) => /^node-[a-z]+-\w+-2[3-9]/.test(name))
  .map((name) => join(workbench, name, 'bin', 'node'))
  .filter(existsSync);

describe('the TensorFlow backend of tfjs-node-gpu', () => {
  it.each([process.execPath, ...newer])(
    'trains with the package from the GPU support folder, under %s',
    (node) => {
      const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
      const out = lab.path(version);
      const { code, err } = train(node, out);
      expect(err).not.toContain('error');
      expect(code).toBe(0);
      expect(readFileSync(loaded, 'utf8')).toBe(version);
      const run = readRun(lab.runs(out)[0]);
      expect(run.status?.state).toBe('finished');
      expect(run.scalars.records).toBe(12);
      expect(run.events.find((e) => e.kind === 'device')).toMatchObject({
        engine: 'tfjs',
        device: 'tensorflow',
      });
    },
  );

  it('learns the same as ONNX Runtime', () => {
    const reference = lab.path('onnxruntime');
    expect(lab.run('train', lab.experiment, '--out', reference, '--device', 'cpu').code).toBe(0);
    const losses = (out: string) => [...readRun(lab.runs(out)[0]).scalars.column('loss')!];
    const ours = losses(lab.path(process.version));
    losses(reference).forEach((loss, i) => expect(ours[i]).toBeCloseTo(loss, 4));
  });

  it('does not silently compute on the CPU if it finds no GPU', () => {
    const file = join(home, 'no-gpu');
    writeFileSync(file, '');
    try {
      const { code, err } = train(process.execPath, lab.path('no-gpu'));
      expect(code).toBe(EXIT.device);
      expect(err).toContain('TensorFlow found no usable GPU');
      expect(err).toContain('CUDA 11.2 and cuDNN 8.1');
      expect(train(process.execPath, lab.path('fallen'), support, '--fallback').code).toBe(0);
      const { events } = readRun(lab.runs(lab.path('fallen'))[0]);
      expect(events.find((e) => e.kind === 'device')).toMatchObject({ device: 'wasm', reason: 'fallback' });
    } finally {
      rmSync(file);
    }
  });

  it('reports with a hint that it does not load, and trains nothing', () => {
    const broken = lab.path('broken');
    const folder = join(broken, 'tensorflow', 'node_modules', '@tensorflow', 'tfjs-node-gpu');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"name": "@tensorflow/tfjs-node-gpu", "main": "index.js"}');
    writeFileSync(join(folder, 'index.js'), "throw new Error('libcudart.so.11.0: cannot open');");
    const { code, err } = train(process.execPath, lab.path('nothing'), broken);
    expect(code).toBe(EXIT.device);
    expect(err).toContain('@tensorflow/tfjs-node-gpu could not be loaded: libcudart.so.11.0: cannot open.');
    expect(err).toContain('Install GPU Support');
  });
});
