import { describe, expect, it } from 'vitest';
import { DType } from '../../../src/graph/dtype';
import type { Dim, ValueInfo } from '../../../src/graph/model';
import { AuroraError } from '../../../src/base/errors';
import { imageSettings, imageTensor } from '../../../src/inference/image-answers';

const input = (...shape: Dim[]): ValueInfo => ({ name: 'pixel_values', dtype: DType.float, shape });
const settings = (shape: Dim[], config: Record<string, unknown> = {}) =>
  imageSettings(input(...shape), 'm.onnx', config);
const rgba = (...bytes: number[]) => Buffer.from(bytes).toString('base64');

describe('an image as model input', () => {
  const two = { width: 2, height: 1, rgba: rgba(255, 0, 51, 255, 0, 102, 204, 0) };

  it('is rescaled, normalized per channel and laid out by channel', () => {
    const { preprocessing } = settings(['batch', 3, 1, 2], {
      rescale_factor: 1 / 255,
      image_mean: [0.5, 0.4, 0.2],
      image_std: [0.5, 0.2, 0.1],
    });
    const { dims, data } = imageTensor(two, preprocessing);
    expect(dims).toEqual([1, 3, 1, 2]);
    // (1 - 0.5)/0.5, (0 - 0.5)/0.5 · (0 - 0.4)/0.2, (0.4 - 0.4)/0.2 · (0.2 - 0.2)/0.1, (0.8 - 0.2)/0.1
    [1, -1, -2, 0, 0, 6].forEach((v, i) => expect(data[i]).toBeCloseTo(v, 5));
  });

  it('is unchanged if the settings disable both', () => {
    const { preprocessing } = settings([1, 3, 1, 2], { do_rescale: false, do_normalize: false });
    expect([...imageTensor(two, preprocessing).data]).toEqual([255, 0, 0, 102, 51, 204]);
  });

  it('is converted to gray for a model with one channel', () => {
    const { preprocessing } = settings([1, 1, 1, 2], { image_mean: 0.5, image_std: 0.5 });
    const [a, b] = imageTensor(two, preprocessing).data as Float32Array;
    expect(a).toBeCloseTo(((0.299 * 255 + 0.114 * 51) / 255 - 0.5) / 0.5, 5);
    expect(b).toBeCloseTo(((0.587 * 102 + 0.114 * 204) / 255 - 0.5) / 0.5, 5);
  });

  it("must have the model's size", () => {
    const { preprocessing } = settings([1, 3, 2, 2], {});
    expect(() => imageTensor(two, preprocessing)).toThrow(/2 × 1.*2 × 2/);
    expect(() => imageTensor({ ...two, height: 2 }, preprocessing)).toThrow('8 bytes');
  });
});

describe('the preprocessing of an image', () => {
  it.each([
    [['batch', 3, 'h', 'w'], { size: { height: 32, width: 48 } }, { width: 48, height: 32 }],
    [['batch', 3, 64, 64], { size: { height: 32, width: 48 } }, { width: 64, height: 64 }],
    [[1, 3, 'h', 'w'], { size: 96 }, { width: 96, height: 96 }],
    [
      [1, 3, 'h', 'w'],
      { size: { shortest_edge: 256 }, do_center_crop: true, crop_size: { height: 224, width: 200 } },
      { width: 200, height: 224, shortestEdge: 256 },
    ],
    [
      [1, 3, 'h', 'w'],
      { size: 256, do_center_crop: true, crop_size: 224 },
      { width: 224, height: 224, shortestEdge: 256 },
    ],
    [[1, 3, 'h', 'w'], { size: { shortest_edge: 160 } }, { width: 160, height: 160, shortestEdge: 160 }],
  ] as [Dim[], Record<string, unknown>, object][])('follows from %j with %j', (shape, config, wanted) => {
    const { preprocessing, assumed } = settings(shape, config);
    expect(preprocessing).toMatchObject(wanted);
    expect(preprocessing.shortestEdge).toBe((wanted as { shortestEdge?: number }).shortestEdge);
    expect(assumed).toEqual([]);
  });

  it('lists its assumptions if the settings are missing', () => {
    const { preprocessing, assumed } = settings(['batch', 'c', 'h', 'w']);
    expect(preprocessing).toMatchObject({ width: 224, height: 224, channels: 3, rescale: 1 / 255 });
    expect(preprocessing.mean).toEqual([0.485, 0.456, 0.406]);
    expect(assumed.join(' ')).toMatch(/224 × 224 is assumed.*ImageNet are assumed/);
  });

  it.each([
    [[1, 224, 224, 3], '[1, 224, 224, 3]: its second axis'],
    [[4, 3, 8, 8], 'its batch size is fixed at 4'],
  ])('rejects %j', (shape, words) => {
    expect(() => settings(shape)).toThrow(AuroraError);
    expect(() => settings(shape)).toThrow(words);
  });
});
