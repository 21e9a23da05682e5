import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../../src/base/errors';
import { decodeImage, readImage } from '../../../../src/data/images/decode-image';
import { scratchFolder } from '../../../scratch';

const fixture = (name: string) => readFileSync(resolve('test/fixtures/images', name));
const folder = scratchFolder('images');

/** The error for these bytes. */
async function refused(bytes: Uint8Array): Promise<AuroraError> {
  const e: unknown = await decodeImage(bytes, 'photos/cat.png').then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(e).toBeInstanceOf(AuroraError);
  return e as AuroraError;
}

/** A PNG that promises this many pixels and has none. */
function promise(width: number, height: number): Buffer {
  const png = Buffer.from(fixture('gray.png'));
  png.writeUInt32BE(width, 16);
  png.writeUInt32BE(height, 20);
  return png;
}

describe('a file that is not an image', () => {
  it.each([
    ['is empty', ''],
    ['is a text', 'cat,0\ndog,1\n'],
    ['would be rendered', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
    ['has a format that is not read', 'BM\x46\0\0\0\0\0\0\0\x36\0\0\0'],
  ])('is refused if it %s', async (_, text) => {
    const e = await refused(Buffer.from(text, 'latin1'));
    expect(e).toMatchObject({ kind: 'data', hint: 'Convert it to PNG, or remove its row.' });
    expect(e.message).toMatch(/^photos\/cat\.png is not a JPEG, PNG, WebP, GIF, TIFF or AVIF image/);
  });

  it('is refused by name if it does not exist or is a folder', async () => {
    const path = join(folder, 'gone.jpg');
    await expect(readImage(path)).rejects.toMatchObject({
      kind: 'data',
      message: `The image ${path} does not exist.`,
    });
    await expect(readImage(folder)).rejects.toMatchObject({
      kind: 'data',
      message: expect.stringContaining(`The image ${folder} cannot be read`) as string,
    });
  });
});

describe('a damaged image', () => {
  it.each([
    'rgb.png',
    '95-0.jpg',
    'progressive.jpg',
    'alpha.webp',
    'rgb.tif',
    'plain.gif',
    'placed-local.gif',
  ])('is refused if it ends in the middle: %s', async (name) => {
    const whole = fixture(name);
    const e = await refused(whole.subarray(0, whole.length >> 1));
    expect(e).toMatchObject({ kind: 'data' });
    expect(e.message).toMatch(/^photos\/cat\.png is damaged or incomplete: [^\n]+\.$/);
    expect(e.hint).toContain('Restore it');
  });

  it.each(['rgb.png', '95-0.jpg', 'alpha.webp', 'rgb.tif', 'plain.gif'])(
    'is refused if only its first bytes are right: %s',
    async (name) => {
      const spoiled = Buffer.from(fixture(name)).fill(0x5a, 16);
      expect((await refused(spoiled)).message).toContain('photos/cat.png');
    },
  );

  it('is refused wherever a GIF ends', async () => {
    const whole = fixture('placed-local.gif');
    // Without the trailer, and without the empty block before it, the image is complete.
    for (let length = 6; length < whole.length - 2; length++)
      expect(await refused(whole.subarray(0, length)), String(length)).toMatchObject({ kind: 'data' });
  });

  it('is read if its decoder can go on, as in Pillow', async () => {
    const spoiled = Buffer.from(fixture('95-0.jpg'));
    spoiled[spoiled.length - 60] ^= 0x41;
    expect(await decodeImage(spoiled, 'cat.jpg')).toMatchObject({ width: 19, height: 13 });
  });
});

describe('an image that states more pixels than its bytes explain', () => {
  /** A GIF with one pixel on a canvas of any size: 35 bytes. */
  function canvas(width: number, height: number): Buffer {
    const gif = Buffer.from(
      '4749463839610000000080000000000000ffffff2c00000000010001000002024401003b',
      'hex',
    );
    gif.writeUInt16LE(width, 6);
    gif.writeUInt16LE(height, 8);
    return gif;
  }

  it('is refused before it is decoded', async () => {
    const began = performance.now();
    const e = await refused(promise(20_000, 20_000));
    expect(e.message).toMatch(
      /^photos\/cat\.png has 20000 × 20000 pixels, more than the 16777216 that an image of \d+ bytes may have\./,
    );
    const gif = Buffer.from(fixture('plain.gif'));
    gif.writeUInt16LE(65_535, 6);
    gif.writeUInt16LE(65_535, 8);
    expect((await refused(gif)).message).toContain('65535 × 65535 pixels');
    for (const [width, height] of [
      [13_377, 13_377],
      [65_535, 2730],
      [4097, 4096],
    ] as const)
      // prettier-ignore
      for (const bytes of [canvas(width, height), promise(width, height)])
        expect((await refused(bytes)).message).toContain(`${width} × ${height} pixels`);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('is refused in every format that can be that small', async () => {
    const create = { width: 5000, height: 4000, channels: 3, background: 'white' } as const;
    const white = () => sharp({ create });
    for (const image of [
      white().webp({ lossless: true, effort: 0 }),
      white().toColourspace('b-w').tiff({ compression: 'ccittfax4', bitdepth: 1 }),
    ])
      expect((await refused(await image.toBuffer())).message).toContain('5000 × 4000 pixels, more than the');
  });

  it('is read if it is no larger than 4096 × 4096, or has the bytes', async () => {
    const { width, data } = await decodeImage(canvas(4096, 4096), 'x.gif');
    expect([width, data.length, data[0], data.at(-1)]).toEqual([4096, 3 * 2 ** 24, 0, 0]);
    const padded = Buffer.concat([canvas(5000, 4000), Buffer.alloc(20_000)]);
    expect(await decodeImage(padded, 'x.gif')).toMatchObject({ width: 5000, height: 4000 });
  });
});

it('a name does not matter, and neither does the kind of array', async () => {
  const path = join(folder, 'photo.txt');
  writeFileSync(path, fixture('rgb.png'));
  expect(await decodeImage(new Uint8Array(fixture('rgb.png')), 'a row')).toEqual(await readImage(path));
});

it('without sharp, an image says so, and a program that reads none starts', async () => {
  const entry = `
    import { decodeImage } from '${resolve('src/data/images/decode-image.ts')}';
    console.log('started');
    decodeImage(Uint8Array.of(0xff, 0xd8, 0xff), 'cat.jpg').catch((e) => console.log(e.kind, e.message, e.hint));`;
  const outfile = join(folder, 'program.cjs');
  const stdin = { contents: entry, resolveDir: folder };
  await build({ stdin, outfile, bundle: true, platform: 'node', external: ['sharp'], logLevel: 'silent' });
  const lines = execFileSync(process.execPath, [outfile], { encoding: 'utf8' }).trim().split('\n');
  expect(lines[0]).toBe('started');
  expect(lines[1]).toMatch(
    /^failed Images cannot be read on \S+: .*package sharp.*Install the build of AuroRA Lab/,
  );
});
