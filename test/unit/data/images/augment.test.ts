import { describe, expect, it } from 'vitest';
import {
  augment,
  mirrored,
  type Augmentation,
  randomBox,
  RANDOM_CROP,
} from '../../../../src/data/images/augment';
import type { RgbImage, Preprocessing } from '../../../../src/data/images/image';
import { preprocess } from '../../../../src/data/images/preprocess';
import { uniform } from '../../../../src/base/random';

const image: RgbImage = {
  width: 40,
  height: 30,
  data: Uint8ClampedArray.from({ length: 3 * 40 * 30 }, (_, i) => 256 * uniform(1, i)),
};
const plan: Preprocessing = { resize: { width: 16, height: 12 }, resample: 'bilinear', rescale: 1 / 255 };
const ALL: Augmentation = {
  crop: RANDOM_CROP,
  flip: 0.5,
  jitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4 },
};
const made = (augmentation: Augmentation, example = 0, epoch = 0, seed = 3, of = plan) =>
  augment(image, of, augmentation, { seed, epoch, example });

describe('an augmented image', () => {
  it('is the same for the same seed, epoch and example, and differs for each other', () => {
    const first = made(ALL);
    expect(first).toMatchObject({ width: 16, height: 12 });
    made(ALL, 5);
    expect(made(ALL)).toEqual(first);
    for (const other of [made(ALL, 1), made(ALL, 0, 1), made(ALL, 0, 0, 4)])
      expect(other.data).not.toEqual(first.data);
  });

  it('is the preprocessed one if nothing is to be changed', () =>
    expect(made({})).toEqual(preprocess(image, plan)));

  it('is mirrored as often as wanted', () => {
    const whole = preprocess(image, plan);
    const turned = preprocess(mirrored(image), plan);
    const count = (flip: number) =>
      Array.from({ length: 400 }, (_, i) => made({ flip }, i)).filter(
        ({ data }) => [turned.data, whole.data].findIndex((d) => d.every((v, k) => v === data[k])) === 0,
      ).length;
    expect(count(0)).toBe(0);
    expect(count(1)).toBe(400);
    expect(Math.abs(count(0.5) - 200)).toBeLessThan(50);
  });

  it('has each change alone, regardless of the others', () => {
    const flip = (a: Augmentation) => made({ ...a, flip: 0.5 }, 7).data;
    const flips = made({ flip: 0.5 }, 7).data.some((v, i) => v !== preprocess(image, plan).data[i]);
    const crop = made({ crop: RANDOM_CROP }, 7);
    const both = flip({ crop: RANDOM_CROP });
    const row = (d: Float32Array) => [...d.subarray(0, 16)];
    expect(row(both)).toEqual(flips ? row(crop.data).reverse() : row(crop.data));
  });

  it('has brighter and darker colors within the limits', () => {
    const gray = { ...image, data: image.data.map(() => 100) };
    const means = Array.from({ length: 300 }, (_, example) => {
      const { data } = augment(
        gray,
        { resample: 'box' },
        { jitter: { brightness: 0.3 } },
        { seed: 1, epoch: 0, example },
      );
      return data[0];
    });
    expect(Math.min(...means)).toBeGreaterThanOrEqual(70);
    expect(Math.max(...means)).toBeLessThanOrEqual(130);
    expect(Math.max(...means) - Math.min(...means)).toBeGreaterThan(50);
  });

  it('needs a fixed size for a random crop', () => {
    const free: Preprocessing = { resize: { shortestEdge: 16 }, resample: 'bilinear' };
    expect(() => made(ALL, 0, 0, 0, free)).toThrow('Images cannot be cropped at random');
    expect(made({ flip: 1 }, 0, 0, 0, free)).toMatchObject({ width: 21, height: 16 });
  });
});

it('a mirrored image runs from right to left', () => {
  const data = Uint8ClampedArray.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
  expect([...mirrored({ width: 2, height: 2, data }).data]).toEqual([4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9]);
});

describe('a random box', () => {
  const boxes = (width: number, height: number, crop = RANDOM_CROP) =>
    Array.from({ length: 1000 }, (_, i) => randomBox({ width, height }, crop, (k) => uniform(5, i, k)));

  it('lies in the image and keeps to the ranges, up to whole pixels', () => {
    const all = boxes(500, 375);
    for (const { left, top, width, height } of all) {
      expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
      expect(left + width).toBeLessThanOrEqual(500);
      expect(top + height).toBeLessThanOrEqual(375);
      expect((width * height) / (500 * 375)).toBeGreaterThan(0.079);
      expect((width + 1) / (height - 1)).toBeGreaterThan(3 / 4);
      expect((width - 1) / (height + 1)).toBeLessThan(4 / 3);
    }
    const shares = all.map((b) => (b.width * b.height) / (500 * 375));
    expect(Math.max(...shares)).toBeGreaterThan(0.9);
    expect(Math.min(...shares)).toBeLessThan(0.1);
    // As many wide ones as high ones, since the ratio is uniform in its logarithm; large wide ones fit better.
    const wide = all.filter((b) => b.width > b.height).length;
    expect(wide).toBeGreaterThan(450);
    expect(wide).toBeLessThan(700);
  });

  it('follows the formulas of torchvision', () => {
    // Area 0.5 · 12 000, aspect √(3/4 · 4/3) = 1: 77 × 77, at ⌊0.25 · 24⌋ and ⌊0.75 · 44⌋.
    const draws = [(0.5 - 0.08) / 0.92, 0.5, 0.25, 0.75];
    const box = randomBox({ width: 120, height: 100 }, RANDOM_CROP, (k) => draws[k]);
    expect(box).toEqual({ width: 77, height: 77, top: 6, left: 33 });
  });

  it.each([
    [1000, 10, { width: 13, height: 10, left: 493, top: 0 }],
    [10, 1000, { width: 10, height: 13, left: 0, top: 493 }],
    [1, 1, { width: 1, height: 1, left: 0, top: 0 }],
  ])('falls back to the largest allowed center: %i × %i', (width, height, expected) => {
    const crop = { scale: [0.9, 1], ratio: [3 / 4, 4 / 3] } as const;
    expect(boxes(width, height, crop)).toContainEqual(expected);
  });
});
