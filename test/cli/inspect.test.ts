import { execFile, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { Inspection } from '../../src/adapters/inspection';
import type { ModelSummary } from '../../src/graph/summary';
import { version } from '../../package.json';
import { CLI, Lab } from './lab';

const lab = new Lab();
afterAll(() => lab.remove());

/** Runs the CLI in a process that cannot load the runtime. */
function withoutRuntime(...args: string[]) {
  lab.write(
    'no-runtime.cjs',
    `const Module = require('node:module');
     const load = Module._load;
     Module._load = (name, ...rest) => {
       if (name === 'onnxruntime-node') throw new Error('the runtime was asked for');
       return load(name, ...rest);
     };`,
  );
  const hook = ['--require', lab.path('no-runtime.cjs')];
  return spawnSync(process.execPath, [...hook, CLI, ...args], { encoding: 'utf8' });
}

describe('aurora inspect', () => {
  it('lists the layers that can be adapted as text', () => {
    const { code, out, err } = lab.run('inspect', lab.path('model.onnx'));
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/parameters +21,121\nkind +opset 17, from pytorch\n/);
    expect(out).toContain('input_ids int64 [batch, sequence] · attention_mask int64 [batch, sequence]');
    expect(out).toContain('last_hidden_state float [batch, sequence, 32]');
    expect(out).toContain('12 linear layers');
    expect(out).toMatch(/layer\.0\.query +32 × 32\n/);
    expect(out).toMatch(/layer\.1\.inter +64 × 32\n/);
    expect(out).toContain('has a gradient rule');
    expect(out).toMatch(/weights +float, 84\.\d KB/);
  });

  it('estimates the memory and the time of a step for a batch, a length and a method', () => {
    const choice = ['--batch', '2', '--length', '16', '--method', 'lora', '--rank', '4'];
    const { code, out, err } = lab.run('inspect', lab.path('model.onnx'), ...choice);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/Training step on this CPU, estimated\n +settings +batch 2 × 16 tokens, LoRA r=4\n/);
    expect(out).toMatch(/memory +\d+ MB/);
    expect(out).toMatch(/time +about .* \(measured on 20\d\d-/);
    expect(lab.run('inspect', lab.path('model.onnx'), '--batch', '0')).toMatchObject({ code: 2 });
    expect(lab.run('inspect', lab.path('model.onnx'), '--method', 'magic').err).toContain(
      'Choose from aurora',
    );
  });

  it('estimates a step of a quantized model, and one in int8', () => {
    const inspect = (...choice: string[]) =>
      lab.run('inspect', lab.path('model.onnx'), '--batch', '2', '--length', '16', ...choice);
    const { code, out, err } = inspect('--quantize', '8', '--precision', 'int8');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/settings +batch 2 × 16 tokens, AuroRA r=2, weights of 8 bits, int8\n/);
    expect(out).toMatch(/time +about .* GFLOP\/s, in int8 [\d,.]+ and /);
    // The layers but the model's own output, in float32.
    const { layers, step } = JSON.parse(
      inspect('--quantize', '8', '--precision', 'int8', '--json').out,
    ) as Inspection;
    const rounded = layers.filter((l) => !l.output && l.sharedWith.length === 0);
    const original = rounded.reduce((all, l) => all + 4 * l.inFeatures * l.outFeatures, 0);
    expect(step.memory!.original).toBe(original);
    expect(out).toMatch(
      /Layers that do not tolerate int8 read their original weights, too: up to .*B more\./,
    );
    expect(inspect('--quantize', '8').out).not.toContain('original weights');
    expect(inspect('--quantize', '3').err).toContain('Choose 4 or 8');
    expect(inspect('--quantize', '4', '--precision', 'int8')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Choose --quantize 8') as string,
    });
  });

  it('compares several batches and lengths', () => {
    const sizes = ['--batch', '2,8', '--length', '8,16', '--method', 'none', '--head', 'linear'];
    const { code, out, err } = lab.run('inspect', lab.path('model.onnx'), ...sizes);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('Training steps on this CPU, estimated (head only)\n');
    for (const size of ['2 × 8', '2 × 16', '8 × 8', '8 × 16'])
      expect(out).toMatch(new RegExp(`\n  batch ${size} tokens +\\d+ MB +about `));
    const { steps, step } = JSON.parse(
      lab.run('inspect', lab.path('model.onnx'), '--json', '--batch', '2,8').out,
    ) as Inspection;
    expect(steps!.map(({ batch, length }) => [batch, length])).toEqual([2, 8].map((n) => [n, 128]));
    expect(step).toEqual(steps![0]);
    expect(lab.run('inspect', lab.path('model.onnx'), '--batch', '2,x')).toMatchObject({ code: 2 });
  });

  it('measures the machine once, even where two ask at the same time', async () => {
    const home = lab.fresh('home');
    const env = { ...process.env, HOME: home, XDG_CACHE_HOME: home, LOCALAPPDATA: home };
    const ask = () =>
      promisify(execFile)(process.execPath, [CLI, 'inspect', lab.path('model.onnx'), '--json'], { env });
    const answers = await Promise.all([ask(), ask()]);
    const rates = answers.map(({ stdout }) => (JSON.parse(stdout) as Inspection).step.time!.rates);
    expect(rates[0]).toEqual(rates[1]);
  });

  it('mentions a key/value cache and leaves out its inputs', () => {
    const { code, out } = lab.run('inspect', resolve('test/fixtures/reference/more/past-gpt2.onnx'));
    expect(code).toBe(0);
    expect(out).toContain('keys and values of 2 layers; empty in training');
    expect(out).not.toContain('past_key_values');
  });

  it('lists the same as JSON', () => {
    const { code, out } = lab.run('inspect', lab.path('model.onnx'), '--json');
    expect(code).toBe(0);
    const summary = JSON.parse(out) as ModelSummary;
    expect(summary).toMatchObject({
      producer: 'pytorch',
      opset: 17,
      parameters: 21_121,
      outputs: [{ name: 'last_hidden_state', type: 'float', shape: ['batch', 'sequence', 32] }],
      missingRules: [],
    });
    expect(summary.inputs.map((i) => i.name)).toEqual(['input_ids', 'attention_mask', 'token_type_ids']);
    const parts = ['query', 'key', 'value', 'dense', 'inter', 'out'];
    expect(summary.layers.map((l) => l.path)).toEqual(
      [0, 1].flatMap((i) => parts.map((p) => `layer.${i}.${p}`)),
    );
    expect(summary.layers[4]).toEqual({
      path: 'layer.0.inter',
      inFeatures: 32,
      outFeatures: 64,
      calls: 1,
      operator: 'MatMul',
      sharedWith: [],
      mergeable: true,
      hasBias: true,
      output: false,
      reaches: ['last_hidden_state'],
    });
  });

  it('says what a pipeline has beside its U-Net, and what a step of that takes', () => {
    const { code, out, err } = lab.run('inspect', resolve('test/fixtures/diffusers/sdxl'), '--no-measure');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/parameters +137,692\nkind +UNet2DConditionModel\n/);
    expect(out).toMatch(/\nvae +AutoencoderKL, [\d,]+ parameters \(float, [\d.]+ KB\)\n/);
    expect(out).toMatch(/\ntext_encoder_2 +clip_text_model, [\d,]+ parameters /);
    expect(out).toContain('text_embeds float [batch, 16]');
    expect(out).toMatch(/settings +batch 1, AuroRA r=2\n {2}memory +\d+ MB/);
  });

  it('loads no runtime, nor does a budget, unlike training', () => {
    for (const args of [
      ['inspect', lab.path('model.onnx')],
      ['budget', lab.experiment],
    ]) {
      const read = withoutRuntime(...args);
      expect([read.status, read.stderr]).toEqual([0, '']);
    }
    expect(withoutRuntime('--help').status).toBe(0);
    expect(withoutRuntime('--version').stdout).toBe(`${version}\n`);
    const trained = withoutRuntime('train', resolve(lab.experiment));
    expect([trained.status, trained.stderr]).toEqual([
      1,
      expect.stringContaining('the runtime was asked for'),
    ]);
  });
});
