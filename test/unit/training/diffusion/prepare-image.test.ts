import { describe, expect, it } from 'vitest';
import type { RgbImage } from '../../../../src/data/images/image';
import { imageValues } from '../../../../src/data/images/job';
import { fittedPixels } from '../../../../src/data/images/shown-image';
import { toImage } from '../../../../src/training/diffusion/decode-latents';
import { prepareImage } from '../../../../src/training/diffusion/encode-images';
import { png } from '../../../png';

/** Red is the column, green the row. */
function grid(width: number, height: number): RgbImage {
  const data = new Uint8ClampedArray(3 * width * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set([x, y, 255], 3 * (y * width + x));
  return { width, height, data };
}

const byte = (value: number) => Math.round((value + 1) * 127.5);

/** Column and row of the pixel at the top left of a prepared image. */
async function corner(
  image: RgbImage,
  resolution: number,
  place: 'center' | { seed: number; image: number },
) {
  const { pixels, timeIds } = await prepareImage({ fitted: image }, resolution, place, 'bilinear');
  expect(pixels).toHaveLength(3 * resolution ** 2);
  return { left: byte(pixels[0]!), top: byte(pixels[resolution ** 2]!), blue: pixels.at(-1), timeIds };
}

describe('an image for a pipeline', () => {
  it('is cropped from the center, a half rounded to even as torchvision does', async () => {
    // Margins of 3, 5 and 8: (3 / 2 = 1.5) → 2, 2.5 → 2, 4.
    for (const [width, left] of [
      [19, 2],
      [21, 2],
      [24, 4],
    ] as const) {
      const found = await corner(grid(width, 16), 16, 'center');
      expect(found).toMatchObject({ left, top: 0, blue: 1 });
      expect(found.timeIds).toEqual([16, width, 0, left, 16, 16]);
    }
    expect(await corner(grid(16, 19), 16, 'center')).toMatchObject({ left: 0, top: 2 });
  });

  it('has its shorter side resized first, whatever its size', async () => {
    const large = await prepareImage({ fitted: grid(64, 32) }, 16, 'center', 'lanczos');
    expect(large.timeIds).toEqual([32, 64, 0, 8, 16, 16]);
    // Pixel 8 of 32 columns: between columns 16 and 17 of 64.
    expect([16, 17]).toContain(byte(large.pixels[0]!));
    const small = await prepareImage({ fitted: grid(4, 8) }, 16, 'center', 'bilinear');
    expect(small.timeIds).toEqual([8, 4, 8, 0, 16, 16]);
  });

  it('is cropped anywhere else, once for each image and seed', async () => {
    const at = (seed: number, image: number) => corner(grid(40, 16), 16, { seed, image });
    expect(await at(1, 0)).toEqual(await at(1, 0));
    const places = new Set<number>();
    for (let image = 0; image < 60; image++) places.add((await at(1, image)).left);
    expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...places)).toBeLessThanOrEqual(24);
    expect(places.size).toBeGreaterThan(12);
    expect((await at(1, 3)).timeIds.slice(2, 4)).toEqual([0, (await at(1, 3)).left]);
  });

  it('is refused where it is so narrow that nothing would hold it', async () => {
    const source = { bytes: png(400_000, 1, () => [0, 0, 0]), name: 'line.png' };
    await expect(prepareImage(source, 512, 'center', 'bilinear')).rejects.toMatchObject({
      kind: 'data',
      message: expect.stringMatching(/^line\.png has 400000 × 1 pixels: .* 204800000 × 512/) as string,
    });
    const plan = { resize: { shortestEdge: 224 }, resample: 'bilinear' } as const;
    await expect(imageValues({ source, plan })).rejects.toThrow('line.png has 400000 × 1 pixels');
    await expect(fittedPixels(source, plan)).rejects.toThrow('line.png has 400000 × 1 pixels');
  });

  it('comes back from a decoder in bytes, with what is beyond cut off', () => {
    const values = [-1, 1, 0, 5, -1.2, 0.999, 0, 0, 0.5, 0.5, -0.5, -0.5];
    const { width, height, data } = toImage(values, 2, 2);
    expect([width, height]).toEqual([2, 2]);
    expect([...data]).toEqual([0, 0, 191, 255, 255, 191, 128, 128, 64, 255, 128, 64]);
  });
});
