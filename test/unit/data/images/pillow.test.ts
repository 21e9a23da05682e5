import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readImage } from '../../../../src/data/images/decode-image';
import { brightness, contrast, saturation } from '../../../../src/data/images/augment';
import { preprocess } from '../../../../src/data/images/preprocess';
import { RESAMPLES, resize } from '../../../../src/data/images/resize';
import { apart, floats, readPillow } from '../../../pillow';

const folder = resolve('test/fixtures/images');
const pillow = readPillow(folder);

describe('a decoded image', () => {
  it.each(pillow.decoded)('equals what Pillow reads: $file ($mode)', async (expected) => {
    expect(apart(await readImage(join(folder, expected.file)), expected)).toBe(0);
  });
});

describe('a resized image', () => {
  it.each(RESAMPLES)("equals Pillow's: %s", async (resample) => {
    const cases = pillow.resized.filter((r) => RESAMPLES[r.filter] === resample);
    expect(cases.length).toBeGreaterThan(10);
    for (const expected of cases) {
      const image = await readImage(join(folder, expected.from));
      const { width, height } = expected;
      expect(
        apart(resize(image, { width, height }, resample), expected),
        `${expected.from} to ${width} × ${height}`,
      ).toBe(0);
    }
  });
});

const ENHANCE = { Brightness: brightness, Contrast: contrast, Color: saturation };

it.each(pillow.enhanced)("an enhanced image equals Pillow's: $kind by $factor", async (expected) => {
  const image = await readImage(join(folder, 'rgb.png'));
  expect(apart(ENHANCE[expected.kind](image, expected.factor), expected)).toBe(0);
});

const normalize = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

it.each(pillow.preprocessed)(
  "a preprocessed image equals Pillow's and NumPy's: $edge to $size",
  async ({ edge, size, filter, values }) => {
    const { width, height, data } = preprocess(await readImage(join(folder, 'rgb.png')), {
      resize: { shortestEdge: edge },
      resample: RESAMPLES[filter],
      crop: { width: size, height: size },
      rescale: 1 / 255,
      normalize,
    });
    expect({ width, height }).toEqual({ width: size, height: size });
    expect(data).toEqual(floats(values));
  },
);
