import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeHalves } from '../../scripts/lib/bench/random-halves.mjs';
import { SDXL_CONFIG, unetWeights } from '../../scripts/lib/bench/sdxl-unet.mjs';
import { png } from '../png';
import { readRun } from '../read-run';
import { Lab, warnings } from './lab';

const lab = new Lab();
afterAll(() => lab.remove());

const experiment = lab.path('pictures.aurora.json');
const SETTINGS = {
  model: { path: 'sdxl' },
  task: { type: 'subject-generation', instancePrompt: 'a photo of a cat', resolution: 16 },
  data: { train: 'images' },
  adapter: { method: 'aurora', rank: 2, dropout: 0, targetModules: ['to_v'] },
  training: {
    ...{ epochs: 3, batchSize: 2, learningRate: 0.001, evaluateEvery: 6, checkpointEvery: 3 },
    ...{ precision: 'int8' },
  },
};

/** A U-Net with the blocks of SDXL's, wide enough for int8, for the text encoders of the fixture. */
const UNET = {
  ...SDXL_CONFIG,
  attention_head_dim: [1, 2, 2],
  block_out_channels: [16, 32, 32],
  transformer_layers_per_block: [1, 1, 1],
  cross_attention_dim: 28,
  addition_time_embed_dim: 8,
  projection_class_embeddings_input_dim: 64,
  norm_num_groups: 4,
  sample_size: 16,
};

let full: number[];
beforeAll(() => {
  cpSync('test/fixtures/diffusers/sdxl', lab.path('sdxl'), { recursive: true });
  lab.write('sdxl/unet/config.json', JSON.stringify(UNET));
  writeHalves(lab.path('sdxl/unet/diffusion_pytorch_model.safetensors'), unetWeights(UNET));
  for (let i = 0; i < 4; i++)
    lab.write(
      `images/${i}.png`,
      png(20 + i, 18, (x, y) => [(60 * i) % 255, (x * y) % 255, 200 - 20 * i]),
    );
  lab.write('pictures.aurora.json', JSON.stringify(SETTINGS));
  full = losses(trained('full', '--set', 'training.precision=float32'));
});

const losses = (run: string) => [...readRun(run).scalars.column('loss')!];
const adapter = (run: string) =>
  readFileSync(join(run, 'checkpoints/step-000006/adapter.safetensors')).toString('hex');

/** The exit code of a run that is worse than a constant answer, as this random U-Net is. */
const WORSE = 27;

function trained(name: string, ...set: string[]): string {
  const out = lab.path(name);
  const r = lab.run('train', experiment, '--out', out, '--device', 'cpu', '--threads', '1', ...set);
  expect(r.code, r.err).toBe(WORSE);
  return lab.runs(out)[0]!;
}

describe('training a U-Net in int8', () => {
  it.each([
    ['', []],
    [' of weights that are stored in int8', ['--set', 'model.quantize=8']],
  ])('finishes near float32, and from a checkpoint to the same bits%s', (name, set) => {
    const int8 = trained(`int8${name}`, ...set);
    const found = losses(int8);
    expect(found).toHaveLength(6);
    expect(found).not.toEqual(full);
    found.forEach((loss, i) =>
      expect(Math.abs(loss - full[i]!) / full[i]!, `step ${i + 1}`).toBeLessThan(0.02),
    );
    expect(warnings(int8).filter((m) => m.startsWith('All layers stay in float32'))).toEqual([]);

    const before = new Set(lab.runs(lab.path(`int8${name}`)));
    const r = lab.run('train', '--fork', int8, '--at', '3');
    expect([r.code, r.err]).toEqual([WORSE, expect.stringContaining('Resuming at step 3')]);
    const forked = lab.runs(lab.path(`int8${name}`)).find((run) => !before.has(run))!;
    expect(losses(forked)).toEqual(found);
    expect(adapter(forked)).toBe(adapter(int8));
  });
});
