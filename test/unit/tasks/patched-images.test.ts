import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DType } from '../../../src/graph/dtype';
import { imageClassification as kind } from '../../../src/tasks/image-classification';
import { batchFeeds, modelInputs } from '../../../src/tasks/task-data';
import { png } from '../../png';
import { emptyGraph, modelOf } from '../autodiff/check';
import { taskLab } from './lab';

const lab = taskLab('image-classification');

/** A model as SigLIP 2, on patches of 4 × 4 pixels. */
const model = modelOf({
  ...emptyGraph(),
  inputs: [
    { name: 'spatial_shapes', dtype: DType.int64, shape: ['batch', 2] },
    { name: 'pixel_values', dtype: DType.float, shape: ['batch', 'sequence', 48] },
    { name: 'pixel_attention_mask', dtype: DType.int64, shape: ['batch', 'sequence'] },
  ],
});
const preprocessor = (value: object) =>
  writeFileSync(
    join(lab.path, 'preprocessor_config.json'),
    JSON.stringify({
      image_processor_type: 'Siglip2ImageProcessor',
      patch_size: 4,
      max_num_patches: 6,
      ...value,
    }),
  );

for (const label of ['cat', 'dog']) mkdirSync(join(lab.path, 'images', label), { recursive: true });
writeFileSync(
  join(lab.path, 'images/cat/wide.png'),
  png(30, 10, () => [255, 255, 255]),
);
writeFileSync(
  join(lab.path, 'images/dog/high.png'),
  png(9, 20, () => [0, 0, 0]),
);
const train = join(lab.path, 'images');
const load = () => kind.load(lab.spec({ train, validation: train }), model);

describe('a model that reads patches', () => {
  it('gets those of each image, whatever its shape, under the names of its inputs', async () => {
    preprocessor({});
    const { train: split, warnings } = await load();
    const feeds = await batchFeeds(kind, modelInputs(model), split.dataset, [0, 1]);
    expect(warnings).toEqual([]);
    expect([...(feeds.spatial_shapes.data as BigInt64Array)]).toEqual([1n, 3n, 3n, 2n]);
    expect([...(feeds.pixel_attention_mask.data as BigInt64Array)].map(Number)).toEqual([
      ...[1, 1, 1, 0, 0, 0],
      ...[1, 1, 1, 1, 1, 1],
    ]);
    const { dims, data } = feeds.pixel_values;
    expect(dims).toEqual([2, 6, 48]);
    const values = [...(data as Float32Array)];
    expect([values[0], values[3 * 48], values[6 * 48]]).toEqual([1, 0, -1]);
  });

  it('is asked about pictures of whole patches, and says how many there may be', async () => {
    preprocessor({});
    const data = await load();
    expect(kind.imageShape!(data)).toMatchObject({ patches: { side: 4, most: 6 } });
    const picture = (width: number, height: number) => ({
      width,
      height,
      rgba: Buffer.alloc(4 * width * height).toString('base64'),
    });
    const { example } = kind.ask({ text: '', image: picture(12, 8) }, data);
    expect(example.source).toMatchObject({ fitted: { width: 12, height: 8 } });
    for (const [width, height] of [
      [10, 8],
      [16, 8],
    ])
      expect(() => kind.ask({ text: '', image: picture(width, height) }, data)).toThrow(
        `The image is ${width} × ${height}; the model reads at most 6 patches of 4 × 4.`,
      );
  });

  it('is refused with the preprocessing of another model, as is another model with its own', async () => {
    preprocessor({ patch_size: 8 });
    await expect(load()).rejects.toThrow(/reads patches of 48 values, but \S+ makes patches of 192/);
    preprocessor({ image_processor_type: 'ViTImageProcessor', size: { height: 8, width: 8 } });
    await expect(load()).rejects.toThrow(/reads patches of 48 values, but \S+ makes whole images/);
    preprocessor({});
    const whole = modelOf({
      ...emptyGraph(),
      inputs: [{ name: 'pixel_values', dtype: DType.float, shape: ['batch', 3, 8, 8] }],
    });
    await expect(kind.load(lab.spec({ train, validation: train }), whole)).rejects.toThrow(
      'preprocessor_config.json cuts images into patches',
    );
  });
});
