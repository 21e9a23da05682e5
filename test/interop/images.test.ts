import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readImage } from '../../src/data/images/decode-image';
import { brightness, contrast, saturation } from '../../src/data/images/augment';
import { preprocess } from '../../src/data/images/preprocess';
import { RESAMPLES, resize } from '../../src/data/images/resize';
import { apart, floats, readPillow, type Pillow } from '../pillow';
import { onPython, python } from './python';
import { scratchFolder } from '../scratch';

/** Odd numbers; several blocks of a JPEG, the last ones not full. */
const SIZES = [
  [131, 87],
  [74, 201],
];

/** The largest difference between JPEG decoders: of 255, on each channel. */
const ROUNDING = 1;

/** The images of the fixtures, larger, read and resized by the installed Pillow at the same time. */
describe.runIf(onPython).each(SIZES)('images of %i × %i, beside the installed Pillow', (width, height) => {
  const folder = scratchFolder('pillow');
  let pillow: Pillow;
  beforeAll(() => {
    python('../fixtures/images/make.py', [folder, String(width), String(height)]);
    pillow = readPillow(folder);
  });

  it('are decoded alike: gray, palettes, alpha, 16 bits, CMYK, EXIF, first frames', async () => {
    expect(pillow.decoded.length).toBeGreaterThan(50);
    const differences: Record<string, number> = {};
    for (const expected of pillow.decoded)
      differences[expected.file] = apart(await readImage(join(folder, expected.file)), expected);
    const far = Object.entries(differences).filter(([, d]) => d > ROUNDING);
    console.log(
      `Pillow ${pillow.pillow}, decoded: at most ${Math.max(...Object.values(differences))} of 255 apart.`,
    );
    expect(far).toEqual([]);
  });

  it.each(RESAMPLES)('are resized to the same bytes: %s', async (resample) => {
    const cases = pillow.resized.filter((r) => RESAMPLES[r.filter] === resample);
    expect(cases.length).toBeGreaterThan(10);
    const differences: number[] = [];
    for (const expected of cases)
      differences.push(
        apart(resize(await readImage(join(folder, expected.from)), expected, resample), expected),
      );
    console.log(`Pillow ${pillow.pillow}, ${resample}: at most ${Math.max(...differences)} of 255 apart.`);
    expect(Math.max(...differences)).toBe(0);
  });

  it('are preprocessed and enhanced to the same bits', async () => {
    const image = await readImage(join(folder, 'rgb.png'));
    for (const { edge, size, filter, values } of pillow.preprocessed) {
      const { data } = preprocess(image, {
        resize: { shortestEdge: edge },
        resample: RESAMPLES[filter],
        crop: { width: size, height: size },
        rescale: 1 / 255,
        normalize: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
      });
      expect(data).toEqual(floats(values));
    }
    const enhance = { Brightness: brightness, Contrast: contrast, Color: saturation };
    for (const expected of pillow.enhanced)
      expect(apart(enhance[expected.kind](image, expected.factor), expected), expected.kind).toBe(0);
  });
});
