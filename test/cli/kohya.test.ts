import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/base/errors';
import { decodeImage } from '../../src/data/images/decode-image';
import { encodeSafetensors, type FloatTensor, readSafetensors } from '../../src/graph/file/safetensors';
import type { ExportRecord } from '../../src/protocol/export';
import { png } from '../png';
import { readRun } from '../read-run';
import { Lab } from './lab';

const lab = new Lab();
afterAll(() => lab.remove());

const experiment = lab.path('sks-dog.aurora.json');
let run: string;
let file: string;
/** The run that the file becomes. */
let imported: string;

beforeAll(() => {
  for (let i = 0; i < 4; i++)
    lab.write(
      `images/${i}.png`,
      png(40, 36, (x, y) => [6 * x, 7 * y, 60 * i]),
    );
  lab.write(
    'sks-dog.aurora.json',
    JSON.stringify({
      name: 'sks dog',
      model: { path: resolve('test/fixtures/diffusers/sd') },
      task: { type: 'subject-generation', instancePrompt: 'a photo of sks dog', resolution: 32 },
      data: { train: 'images', validationFraction: 0.25 },
      adapter: { method: 'aurora', rank: 2 },
      training: { epochs: 2, batchSize: 1, learningRate: 0.05 },
    }),
  );
  // Random weights learn little: the result may be worse than zero everywhere.
  expect([EXIT.ok, EXIT.baseline]).toContain(lab.run('train', experiment, '--out', lab.path('runs')).code);
  run = lab.runs(lab.path('runs'))[0]!;
  const exported = lab.run('export', run, '--as', 'kohya', '--out', lab.path('lora'), '--accept-drop');
  expect(exported.code, exported.err).toBe(EXIT.ok);
  file = lab.path('lora/sks-dog.safetensors');
  const r = lab.run('import', file, '--experiment', experiment, '--out', lab.path('imported'));
  expect(r.code, r.err).toBe(EXIT.ok);
  imported = lab.runs(lab.path('imported'))[0]!;
}, 300_000);

/** The pictures of a prompt, by the name of their file. */
async function pictures(name: string, ...args: string[]) {
  const out = lab.path(name);
  const played = lab.type('a dog\n', 'play', ...args, '--out', out, '--steps', '3', '--size', '32x32');
  expect(played.code, played.err).toBe(EXIT.ok);
  const files = readdirSync(out).sort();
  const images = await Promise.all(files.map((f) => decodeImage(readFileSync(join(out, f)), f)));
  return { ...played, pixels: Object.fromEntries(files.map((f, i) => [f, images[i]!.data])) };
}
const apart = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)));

describe('a LoRA file of kohya’s scripts', () => {
  it('is written with the fit, measured from the file, and described in its card', () => {
    expect(readdirSync(lab.path('lora')).sort()).toEqual(['README.md', 'export.json', 'sks-dog.safetensors']);
    const record = JSON.parse(lab.read('lora/export.json')) as ExportRecord;
    expect(record).toMatchObject({ form: 'kohya', merge: 'fitted', fit: { withBias: 0 } });
    expect(Object.keys(record.metrics)).toEqual(['trained', 'fitted', 'paper', 'removed', 'exported']);
    expect(record.metrics.exported.loss).toBeCloseTo(record.metrics.fitted!.loss, 5);
    const { tensors, metadata } = readSafetensors(file);
    expect([...tensors.keys()].every((key) => key.startsWith('lora_unet_'))).toBe(true);
    expect(metadata).toMatchObject({ ss_network_dim: '2', ss_base_model_version: 'sd_v1' });
    const card = lab.read('lora/README.md');
    expect(card).toContain('models/loras');
    expect(card).toContain('<lora:sks-dog:1>');
  });

  it('becomes a run with the same loss', () => {
    const { events, spec } = readRun(imported);
    expect(spec.adapter).toMatchObject({ method: 'lora', rank: 2 });
    const evaluation = events.find((e) => e.kind === 'evaluation')!;
    const record = JSON.parse(lab.read('lora/export.json')) as ExportRecord;
    expect(evaluation.metrics.loss).toBeCloseTo(record.metrics.exported.loss, 5);
  });

  it('may adapt convolutions of single pixels, which are trained further and written as such', () => {
    const tensors = new Map<string, FloatTensor>();
    const ones = (...dims: number[]) => ({
      dims,
      data: new Float32Array(dims.reduce((a, b) => a * b)).fill(0.05),
    });
    for (const [name, kernel] of [
      ['down_blocks_0_attentions_0_proj_in', [1, 1]],
      ['down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q', []],
    ] as const) {
      tensors.set(`lora_unet_${name}.lora_down.weight`, ones(2, 8, ...kernel));
      tensors.set(`lora_unet_${name}.lora_up.weight`, ones(8, 2, ...kernel));
    }
    lab.write('mixed.safetensors', encodeSafetensors(tensors));
    const [mixed, runs] = [lab.path('mixed.safetensors'), lab.path('mixed')];
    const r = lab.run('import', mixed, '--experiment', experiment, '--out', runs);
    expect(r.code, r.err).toBe(EXIT.ok);
    const [made] = lab.runs(runs);
    const resumed = lab.run('train', '--resume', made!);
    expect([EXIT.ok, EXIT.baseline], resumed.err).toContain(resumed.code);
    for (const form of ['kohya', 'peft-lora', 'safetensors', 'onnx-merged', 'onnx-dynamic', 'adapter']) {
      const out = lab.path(`mixed-${form}`);
      const { code, err } = lab.run('export', made!, '--as', form, '--at', 'last', '--out', out);
      expect([form, code, err]).toEqual([form, EXIT.ok, err]);
    }
    const down = 'lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight';
    const written = readSafetensors(lab.path('mixed-kohya/sks-dog.safetensors')).tensors.get(down)!;
    expect(written.dims).toEqual([2, 8, 1, 1]);
    expect(written.data.some((v) => v !== Math.fround(0.05))).toBe(true);
    const diffusers = readSafetensors(lab.path('mixed-peft-lora/pytorch_lora_weights.safetensors')).tensors;
    expect(diffusers.get('unet.down_blocks.0.attentions.0.proj_in.lora_B.weight')!.dims).toEqual([
      8, 2, 1, 1,
    ]);
    const weight = 'down_blocks.0.attentions.0.proj_in.weight';
    const unet = lab.path('mixed-safetensors/unet/diffusion_pytorch_model.safetensors');
    expect(readSafetensors(unet).tensors.get(weight)!.dims).toEqual([8, 8, 1, 1]);
  });

  it('is refused for a model that is no pipeline, before anything is written', () => {
    const texts = lab.run(
      'train',
      lab.experiment,
      '--out',
      lab.path('texts'),
      '--set',
      'training.maxSteps=2',
    );
    expect([EXIT.ok, EXIT.baseline]).toContain(texts.code);
    const [other] = lab.runs(lab.path('texts'));
    const { code, err } = lab.run('export', other!, '--as', 'kohya', '--out', lab.path('none'));
    expect([code, err]).toEqual([EXIT.usage, expect.stringContaining('is not a diffusers pipeline')]);
    expect(readdirSync(lab.folder)).not.toContain('none');
    // Neither can its adapter be added to one of another model.
    const played = lab.type('a dog\n', 'play', run, '--adapter', other!);
    expect(played.code).toBe(EXIT.adapter);
    expect(played.err).toMatch(/was trained on another model than sks dog/);
  });
});

describe('aurora play with several adapters', () => {
  it("adds a file to a run by its weight: the opposite of the run's fit leaves the base model", async () => {
    const { pixels, err } = await pictures('none-left', imported, '--adapter', `${imported}:-1`);
    expect(err).toMatch(/sks-dog\.safetensors, step 0 \+ sks-dog\.safetensors × -1: draws pictures/);
    expect(apart(pixels['picture-1.png']!, pixels['picture-1-base.png']!)).toBeLessThanOrEqual(1);
    const alone = await pictures('alone', imported);
    expect(apart(alone.pixels['picture-1.png']!, alone.pixels['picture-1-base.png']!)).toBeGreaterThan(1);
    // The file itself, with half of each.
    const halves = await pictures('halves', imported, '--weight', '0.5', '--adapter', `${file}:0.5`);
    expect(apart(halves.pixels['picture-1.png']!, alone.pixels['picture-1.png']!)).toBeLessThanOrEqual(1);
  });

  it('adds AuroRA, which is not linear, and adapters of a pipeline without a run', async () => {
    const doubled = await pictures('aurora', run, '--adapter', `${file}:0`, '--at', 'best');
    const alone = await pictures('aurora-alone', run);
    expect(apart(doubled.pixels['picture-1.png']!, alone.pixels['picture-1.png']!)).toBeLessThanOrEqual(1);
    const model = resolve('test/fixtures/diffusers/sd');
    const two = await pictures(
      'two',
      '--model',
      model,
      '--adapter',
      `${file}:1.5`,
      '--adapter',
      `${file}:-0.5`,
    );
    const one = await pictures('one', '--model', model, '--adapter', file);
    expect(apart(two.pixels['picture-1.png']!, one.pixels['picture-1.png']!)).toBeLessThanOrEqual(1);
  });

  it.each([
    [['--adapter', 'x.safetensors:much'], '"much" is not the weight of an adapter'],
    [['--weight', 'all'], '"all" is not the weight of an adapter'],
    [['--model', 'm', '--weight', '2'], '--weight applies to a run'],
  ])('refuses %j', (args, message) => {
    const { code, err } = lab.type('', 'play', ...(args[0] === '--model' ? [] : [run]), ...args);
    expect([code, err]).toEqual([EXIT.usage, expect.stringContaining(message)]);
  });
});
