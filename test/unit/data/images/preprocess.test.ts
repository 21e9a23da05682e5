import { describe, expect, it } from 'vitest';
import { centerCrop, crop, fit, preprocess } from '../../../../src/data/images/preprocess';
import type { RgbImage, Preprocessing } from '../../../../src/data/images/image';

/** Red counts the pixels from 1, green is ten times that. */
function counted(width: number, height: number): RgbImage {
  const data = Array.from({ length: width * height }, (_, i) => [i + 1, 10 * (i + 1), 7]).flat();
  return { width, height, data: Uint8ClampedArray.from(data) };
}
/** Red, row by row. */
const reds = ({ width, height, data }: RgbImage): number[][] =>
  Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => data[3 * (y * width + x)]),
  );

describe('a center crop', () => {
  it.each([
    [
      'the middle',
      4,
      4,
      { width: 2, height: 2 },
      [
        [6, 7],
        [10, 11],
      ],
    ],
    ['the first of two middles', 3, 4, { width: 2, height: 1 }, [[4, 5]]],
    [
      'everything',
      2,
      2,
      { width: 2, height: 2 },
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      'black around it, more of it before',
      2,
      1,
      { width: 5, height: 2 },
      [
        [0, 0, 0, 0, 0],
        [0, 0, 1, 2, 0],
      ],
    ],
    [
      'black on one axis and less on the other',
      3,
      1,
      { width: 2, height: 3 },
      [
        [0, 0],
        [1, 2],
        [0, 0],
      ],
    ],
  ])('is %s', (_, width, height, size, expected) =>
    expect(reds(centerCrop(counted(width, height), size))).toEqual(expected),
  );

  it('outside of the image is black', () => {
    expect(reds(crop(counted(2, 2), { left: 5, top: 0, width: 1, height: 2 }))).toEqual([[0], [0]]);
    expect(reds(crop(counted(2, 2), { left: -1, top: 1, width: 2, height: 2 }))).toEqual([
      [0, 3],
      [0, 0],
    ]);
  });
});

describe('a preprocessed image', () => {
  it('is laid out by channel, rescaled and normalized in single precision', () => {
    const mean = [0.485, 0.456, 0.406] as const;
    const std = [0.229, 0.224, 0.225] as const;
    const { width, height, data } = preprocess(counted(2, 1), {
      resample: 'bilinear',
      rescale: 1 / 255,
      normalize: { mean, std },
    });
    expect({ width, height }).toEqual({ width: 2, height: 1 });
    const f = Math.fround;
    const value = (byte: number, c: number) => f(f(f(byte / 255) - f(mean[c])) / f(std[c]));
    expect([...data]).toEqual([
      value(1, 0),
      value(2, 0),
      value(10, 1),
      value(20, 1),
      value(7, 2),
      value(7, 2),
    ]);
  });

  it('has the numbers that NumPy gives', () => {
    // ((np.array([0, 1, 77, 254, 255], np.uint8).astype(np.float64) * (1 / 255)).astype(np.float32)
    //   - np.float32(0.485)) / np.float32(0.229)
    const bytes = [0, 1, 77, 254, 255];
    const image = { width: 5, height: 1, data: Uint8ClampedArray.from(bytes.flatMap((b) => [b, b, b])) };
    const normalize = { mean: [0.485, 0.485, 0.485], std: [0.229, 0.229, 0.229] } as const;
    const { data } = preprocess(image, { resample: 'box', rescale: 1 / 255, normalize });
    expect([...data.subarray(0, 5)].map((v) => v.toPrecision(9))).toEqual([
      '-2.11790395',
      '-2.10077929',
      '-0.799297869',
      '2.23178339',
      '2.24890828',
    ]);
  });

  it('is the bytes if neither is done', () => {
    expect([...preprocess(counted(2, 1), { resample: 'box' }).data]).toEqual([1, 2, 10, 20, 7, 7]);
  });

  it('is resized before it is cropped', () => {
    const plan: Preprocessing = {
      resample: 'nearest',
      resize: { shortestEdge: 4 },
      crop: { width: 2, height: 4 },
    };
    expect(reds(fit(counted(3, 2), plan))).toEqual([
      [2, 2],
      [2, 2],
      [5, 5],
      [5, 5],
    ]);
  });
});
