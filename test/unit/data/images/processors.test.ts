import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isPatched, patchedSize } from '../../../../src/base/patch-budget';
import { imageBatch, type ImageDataset } from '../../../../src/data/image-dataset';
import { augment, mirrored } from '../../../../src/data/images/augment';
import { readImage } from '../../../../src/data/images/decode-image';
import { imageValues } from '../../../../src/data/images/job';
import { fit } from '../../../../src/data/images/preprocess';
import { parsePreprocessing } from '../../../../src/data/images/preprocessor-config';
import { floats } from '../../../pillow';

interface Case {
  config: Record<string, unknown>;
  /** False for numbers that PyTorch resizes in single precision. */
  exact: boolean;
  shape: number[];
  grid: number[] | null;
  values: string;
}

const FOLDER = resolve('test/fixtures/images');
const PATH = join(FOLDER, 'rgb.png');
const CASES = JSON.parse(readFileSync(join(FOLDER, 'processors.json'), 'utf8')) as Case[];
const planOf = (config: unknown) => parsePreprocessing(config, 'preprocessor_config.json').preprocessing;

/** Of numbers around 1: a few units in the last place of each step. */
const ROUNDING = 3e-6;

describe('an image equals what the processors of transformers make of it', () => {
  it.each(CASES.map((c) => [JSON.stringify(c.config), c] as const))('%s', async (_, c) => {
    const { values, grid } = await imageValues({ source: { path: PATH }, plan: planOf(c.config) });
    const wanted = floats(c.values);
    expect(wanted).toHaveLength(c.shape.reduce((a, b) => a * b, 1));
    expect(grid ?? null).toEqual(c.grid);
    if (c.exact) return expect(values).toEqual(wanted);
    expect(values).toHaveLength(wanted.length);
    expect(Math.max(...values.map((v, i) => Math.abs(v - wanted[i])))).toBeLessThan(ROUNDING);
  });
});

describe('images in patches', () => {
  const plan = planOf({ image_processor_type: 'Siglip2ImageProcessor', patch_size: 3, max_num_patches: 14 });

  it('fill a batch with a mask, and the rows and columns of each', async () => {
    const image = { width: 3, height: 30, data: new Uint8ClampedArray(270).fill(255) };
    const sources = [{ path: PATH }, { fitted: image }];
    const dataset: ImageDataset = {
      examples: sources.map((source, row) => ({ size: 1, row, source })),
      truncatedCount: 0,
      skipped: [],
      plan,
      side: { width: 9, height: 9 },
    };
    const { pixel_values, pixel_attention_mask, spatial_shapes } = await imageBatch(dataset, [0, 1], '');
    expect(pixel_values.dims).toEqual([2, 14, 27]);
    expect(pixel_attention_mask.dims).toEqual([2, 14]);
    const ones = (count: number) => Array.from({ length: 14 }, (_, i) => (i < count ? 1 : 0));
    expect([...pixel_attention_mask.data].map(Number)).toEqual([...ones(12), ...ones(10)]);
    expect([...spatial_shapes.data].map(Number)).toEqual([3, 4, 10, 1]);
    const values = [...pixel_values.data].map(Number);
    // White is 1 after rescaling with the usual mean and deviation, and padding is 0.
    expect(values.slice(14 * 27, 24 * 27).every((v) => v === 1)).toBe(true);
    expect(values.slice(24 * 27).every((v) => v === 0)).toBe(true);
    expect(values.slice(12 * 27, 14 * 27).every((v) => v === 0)).toBe(true);
  });

  it('have whole patches, as many as are allowed, and about their own aspect ratio', () => {
    const budget = { side: 16, most: 256 };
    expect(patchedSize({ width: 640, height: 480 }, budget)).toEqual({ width: 288, height: 224 });
    expect(patchedSize({ width: 224, height: 224 }, budget)).toEqual({ width: 256, height: 256 });
    expect(patchedSize({ width: 1, height: 100_000 }, budget)).toEqual({ width: 16, height: 4096 });
    for (const [width, height] of [
      [3, 4000],
      [500, 333],
      [10_000, 9999],
    ])
      expect(isPatched(patchedSize({ width, height }, budget), budget)).toBe(true);
    expect(isPatched({ width: 17, height: 16 }, budget)).toBe(false);
    expect(isPatched({ width: 272, height: 272 }, budget)).toBe(false);
  });

  it('are changed at random as others are, and keep whole patches', async () => {
    const image = await readImage(PATH);
    const key = { seed: 1, epoch: 0, example: 0 };
    const flipped = augment(image, plan, { flip: 1 }, key);
    const { width, height, data } = mirrored(fit(image, plan));
    expect(flipped).toMatchObject({ width, height });
    expect(flipped.data[0]).toBeCloseTo(data[0] / 127.5 - 1, 5);
    const part = augment(image, plan, { crop: { scale: [0.2, 0.4], ratio: [2, 3] } }, key);
    expect(isPatched(part, plan.patches!)).toBe(true);
    expect(part.width).toBeGreaterThan(part.height);
  });
});

describe('settings of these processors', () => {
  const refused = (config: unknown, words: RegExp) => expect(() => planOf(config)).toThrow(words);

  it('are refused where the steps would be others', () => {
    const patches = { image_processor_type: 'Siglip2ImageProcessor' };
    refused({ ...patches, do_resize: false }, /"do_resize" is false; it must be true, since images/);
    refused({ ...patches, patch_size: 0 }, /"patch_size" is 0/);
    refused({ ...patches, max_num_patches: 2 ** 20 }, /"max_num_patches" is 1048576; it must be small/);
    const dino = { image_processor_type: 'DINOv3ViTImageProcessor' };
    refused({ ...dino, resample: 0 }, /"resample" is 0; it must be 2 \(bilinear\) or 3 \(bicubic\)/);
    expect(planOf({ ...dino, resample: 0, do_resize: false }).resize).toBeUndefined();
  });

  it('have the defaults of transformers 5', () => {
    expect(planOf({ image_processor_type: 'Siglip2ImageProcessorFast' })).toMatchObject({
      patches: { side: 16, most: 256 },
      resample: 'bilinear',
    });
    expect(planOf({ image_processor_type: 'DINOv3ViTImageProcessorFast' })).toMatchObject({
      resize: { width: 224, height: 224 },
      rescalesFirst: true,
      normalize: { mean: [0.485, 0.456, 0.406] },
    });
    expect(planOf({ image_processor_type: 'SiglipImageProcessorPil' }).resample).toBe('bicubic');
  });
});
