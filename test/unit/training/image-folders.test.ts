import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { exportRun } from '../../../src/exports/export';
import type { ExportForm } from '../../../src/protocol/export';
import { readRunSummary } from '../../../src/runs/run-summary';
import { Lab } from '../../cli/lab';
import { pictured, writePictures } from '../../cli/pictures';
import { trainHere } from './train-here';

const HUB = join(import.meta.dirname, '../../fixtures/hf');
const EXAMPLES = 12;

interface Setting {
  folder: string;
  processor: Record<string, unknown>;
  targets: string[];
  task?: { pooling?: string; headWeights?: 'model' };
  data?: object;
  form: ExportForm;
}

const square = (side: number) => ({ size: { height: side, width: side } });

const SETTINGS: Record<string, Setting> = {
  'SigLIP 2, on patches of pictures of all shapes': {
    folder: 'siglip2-cls',
    processor: { image_processor_type: 'Siglip2ImageProcessor', patch_size: 4, max_num_patches: 20 },
    targets: ['q_proj', 'v_proj'],
    task: { pooling: 'mean' },
    data: { augmentation: { flip: 0.5, crop: true } },
    form: 'onnx-merged',
  },
  'ConvNeXT, on a map': {
    folder: 'convnext-cls',
    processor: { image_processor_type: 'ConvNextImageProcessor', size: { shortest_edge: 16 } },
    targets: ['pwconv1', 'pwconv2'],
    task: { pooling: 'mean' },
    form: 'onnx-dynamic',
  },
  'BEiT, further from its own head': {
    folder: 'beit-cls',
    processor: { image_processor_type: 'BeitImageProcessor', ...square(24) },
    targets: ['query', 'value'],
    task: { headWeights: 'model' },
    form: 'safetensors',
  },
  'DINOv3, on pictures of another size': {
    folder: 'dinov3-vit',
    processor: { image_processor_type: 'DINOv3ViTImageProcessorFast', size: { height: 16, width: 32 } },
    targets: ['q_proj', 'up_proj'],
    task: { pooling: 'first-token' },
    form: 'peft-lora',
  },
};

describe.each(Object.entries(SETTINGS))('%s', (_, { folder, processor, targets, task, data, form }) => {
  const lab = new Lab();
  afterAll(() => lab.remove());
  const own = task?.headWeights === 'model';
  let run: string;

  it('is trained', async () => {
    cpSync(join(HUB, folder), lab.path('model'), { recursive: true });
    lab.write('model/preprocessor_config.json', JSON.stringify(processor));
    writePictures(lab, EXAMPLES);
    const rows = Array.from({ length: EXAMPLES }, (_row, i) => {
      const label = own && i % 3 === 0 ? 'dog' : pictured(i);
      return `${JSON.stringify({ image: `images/${i}.png`, label })}\n`;
    });
    lab.write('train.jsonl', rows.join(''));
    run = await trainHere(lab, {
      model: { path: 'model' },
      task: { type: 'image-classification', head: 'linear', ...task },
      data: { train: 'train.jsonl', validation: 'train.jsonl', ...data },
      adapter: { method: 'aurora', targetModules: targets, rank: 2 },
      training: { maxSteps: 4, batchSize: EXAMPLES, learningRate: 0.02, seed: 7, evaluateEvery: 1 },
    });
    const { events, result } = readRunSummary(run);
    const losses = events.flatMap((e) => (e.kind === 'evaluation' ? [e.metrics.loss] : []));
    expect(result).toMatchObject({ outcome: 'finished', steps: 4 });
    expect(losses.at(-1)).toBeLessThan(losses[0]);
  });

  it('is exported with the same answers', async () => {
    const exported = await exportRun({
      ...{ run, at: 'best', form, maxDrop: 0.5, emit: () => {} },
      accept: () => Promise.resolve(true),
    });
    const { largestDifference, form: written } = exported!.record;
    expect(written).toBe(form);
    expect(largestDifference).toBeLessThan(1e-4);
  });
});
