import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { png } from '../png';
import { Lab } from './lab';

const FIXTURES = resolve('test/fixtures/torchvision');
const LABELS = ['red', 'green', 'blue'];
const COLORS = [
  [200, 30, 30],
  [30, 200, 30],
  [30, 30, 200],
];

/** torchvision's VisionTransformer, with one MatMul for query, key and value of each layer, which this project did not write. */
describe('a model of torchvision', () => {
  const lab = new Lab({
    task: { type: 'image-classification', head: 'none' },
    data: { imageColumn: 'image' },
    adapter: { method: 'lora', rank: 2, targetModules: ['self_attention', 'mlp.0'] },
    training: { epochs: 2, batchSize: 8, learningRate: 0.01 },
  });
  afterAll(() => lab.remove());
  const size = { height: 32, width: 32 };
  lab.write('preprocessor_config.json', JSON.stringify({ image_processor_type: 'ViTImageProcessor', size }));
  lab.write('model.onnx', readFileSync(resolve(FIXTURES, 'vit-batches.onnx')));
  lab.write('fixed.onnx', readFileSync(resolve(FIXTURES, 'vit.onnx')));
  const rows = Array.from({ length: 24 }, (_, i) => {
    const color = COLORS[i % 3] as [number, number, number];
    lab.write(
      `images/${i}.png`,
      png(32, 32, (x, y) => color.map((c) => c + ((x * 7 + y * i) % 40)) as never),
    );
    return JSON.stringify({ image: `images/${i}.png`, label: LABELS[i % 3] });
  });
  for (const name of ['train', 'validation']) lab.write(`${name}.jsonl`, `${rows.join('\n')}\n`);

  it('has its own names, and both engines agree on its gradients', () => {
    const { out } = lab.run('inspect', lab.path('model.onnx'), '--batch', '8');
    expect(out).toContain('encoder.layers.encoder_layer_0.self_attention ');
    expect(out).toContain('Every operator between these layers and the outputs has a gradient rule.');
    expect(out).toMatch(/memory +\d+ MB/);
    expect(lab.run('verify', lab.experiment)).toMatchObject({ code: 0 });
  });

  it('trains', () => {
    const out = lab.fresh('runs');
    expect(lab.run('train', lab.experiment, '--out', out)).toMatchObject({ code: 0 });
    const { steps } = JSON.parse(readFileSync(`${lab.runs(out)[0]}/result.json`, 'utf8')) as {
      steps: number;
    };
    expect(steps).toBe(6);
  });

  it('is refused where it was exported for one image at a time, by inspect and by training', () => {
    const { code, out } = lab.run('inspect', lab.path('fixed.onnx'));
    expect([code, out]).toEqual([0, expect.stringMatching(/input x is for batches of 1\. .*dynamic_axes/)]);
    const train = lab.run('train', lab.experiment, '--set', 'model.path=fixed.onnx');
    expect(train).toMatchObject({ code: 4, err: expect.stringContaining('dynamic batch axis') as string });
  });
});
