import type { Metadata, Sharp } from 'sharp';
import { AuroraError } from '../../base/errors';
import { type InputUse, readInputLater } from '../../files/inputs/open';
import { firstFrame } from './gif';
import type { RgbImage, Size } from './image';
import { loadSharp } from './sharp';

/** Pillow's limit for an image too: a small file can hold more pixels than there is memory. */
const MAX_PIXELS = 178_956_970;

/**
 * Pixels that an image may have whatever its size, 4096 × 4096, and for each byte of a larger one. Photographs have at
 * most 20 to a byte and scanned pages a few hundred, while a GIF or WebP of a few bytes can state any number.
 */
export const FREE_PIXELS = 2 ** 24;
const PIXELS_PER_BYTE = 1000;

/** Red, green, blue and key, and alpha. A TIFF can state any number. */
const MOST_CHANNELS = 5;

/** Seconds that decoding may take. The largest image takes a few. */
const MOST_SECONDS = 60;

/** Pillow ignores color profiles, and reads files with errors unless they end too early. */
const AS_PILLOW = {
  ignoreIcc: true,
  autoOrient: true,
  failOn: 'error',
  limitInputPixels: false,
} as const;

/**
 * An image file as transformers' load_image reads it: see `decodeImage`.
 *
 * @throws AuroraError 'data' for a file that cannot be read or is not such an image
 */
export async function readImage(path: string, use: InputUse = 'data'): Promise<RgbImage> {
  const bytes = await readInputLater(path, use).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'does not exist' : `cannot be read: ${cause.message}`;
    throw new AuroraError('data', `The image ${path} ${why}.`, 'Restore the file, or remove its row.', {
      cause,
    });
  });
  return decodeImage(bytes, path);
}

/**
 * An encoded image as Pillow's ImageOps.exif_transpose(Image.open(…)).convert("RGB"): turned as its EXIF data say, the
 * first frame or page only, without alpha (dropped, not blended) and without color management. JPEG, PNG, WebP, GIF and
 * TIFF have the pixels that Pillow gives; AVIF, which older Pillows cannot read, is decoded too.
 *
 * @param name its name in errors
 * @throws AuroraError 'data' for anything else, for a damaged image, and for more pixels than Pillow accepts or than its
 *   bytes explain
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<RgbImage> {
  const format = formatOf(bytes);
  if (format === undefined)
    throw new AuroraError(
      'data',
      `${name} is not a JPEG, PNG, WebP, GIF, TIFF or AVIF image.`,
      'Convert it to PNG, or remove its row.',
    );
  return format === 'GIF' ? decodeGif(bytes, name) : decode(bytes, name);
}

async function decode(bytes: Uint8Array, name: string): Promise<RgbImage> {
  const sharp = await loadSharp();
  const image = sharp(bytes, AS_PILLOW);
  const header = await image.metadata().catch((e: Error) => {
    throw damaged(name, e);
  });
  checkPixels(header, bytes.length, name);
  if (header.channels > MOST_CHANNELS) throw wrongChannels(name, header.channels);
  const convert = conversion(image, header);
  const { data, info } = await image
    .timeout({ seconds: MOST_SECONDS })
    .toBuffer({ resolveWithObject: true })
    .catch((e: Error) => {
      throw damaged(name, e);
    });
  const { width, height } = info;
  const rgb = convert(new Uint8ClampedArray(data.buffer, data.byteOffset, data.length));
  if (rgb.length !== 3 * width * height) throw wrongChannels(name, header.channels);
  return { width, height, data: rgb };
}

/** Sets the output of `image`, and returns the step that turns it into RGB. */
function conversion(
  image: Sharp,
  { space, depth, channels }: Metadata,
): (raw: Uint8ClampedArray) => Uint8ClampedArray {
  image.removeAlpha();
  const wide = depth === 'ushort';
  if (space === 'cmyk') {
    image
      .pipelineColourspace('cmyk')
      .toColourspace('cmyk')
      .raw({ depth: wide ? 'ushort' : 'uchar' });
    return (raw) => cmykToRgb(wide ? highBytes(raw) : raw);
  }
  if (space === 'grey16' && channels === 1) {
    image.toColourspace('grey16').raw({ depth: 'ushort' });
    return clippedToRgb;
  }
  image.raw();
  return (raw) => raw;
}

async function decodeGif(bytes: Uint8Array, name: string): Promise<RgbImage> {
  const first = firstFrame(bytes);
  if (first === undefined) throw damaged(name, new Error('it has no frame'));
  const { gif, canvas, left, top, around } = first;
  checkPixels(canvas, bytes.length, name);
  const frame = await decode(gif, name);
  const data = new Uint8ClampedArray(3 * canvas.width * canvas.height);
  Buffer.from(data.buffer).fill(Uint8Array.from(around));
  for (let y = 0; y < frame.height; y++) {
    const row = frame.data.subarray(3 * y * frame.width, 3 * (y + 1) * frame.width);
    data.set(row, 3 * ((top + y) * canvas.width + left));
  }
  return { ...canvas, data };
}

/** @param stored bytes of the image */
function checkPixels({ width, height }: Size, stored: number, name: string): void {
  const most = Math.min(MAX_PIXELS, Math.max(FREE_PIXELS, PIXELS_PER_BYTE * stored));
  if (!(width * height <= most))
    throw new AuroraError(
      'data',
      `${name} has ${width} × ${height} pixels, more than the ${most} that an image of ${stored} bytes may have.`,
      'Make it smaller, or remove its row: a model reads a few hundred pixels a side.',
    );
}

const wrongChannels = (name: string, channels: number): AuroraError =>
  new AuroraError(
    'data',
    `${name} has ${channels} channels, which are not gray, RGB or CMYK.`,
    'Convert it to an RGB image, or remove its row.',
  );

/** libvips may add its warnings in further lines. */
function damaged(name: string, cause: Error): AuroraError {
  const [why] = cause.message.replace(/^Input buffer has corrupt header: /, '').split('\n');
  return new AuroraError(
    'data',
    `${name} is damaged or incomplete: ${why}.`,
    'Restore it from its source, or remove its row.',
    { cause },
  );
}

/** Conversions of modes "CMYK" and "I;16" to "RGB" as in Pillow. */

/**
 * Without color profiles: each color times the part that black leaves.
 *
 * @param cmyk four bytes a pixel, 255 for full ink
 */
function cmykToRgb(cmyk: Uint8ClampedArray): Uint8ClampedArray {
  const rgb = new Uint8ClampedArray((cmyk.length / 4) * 3);
  for (let i = 0, o = 0; i < cmyk.length; i += 4) {
    const light = 255 - cmyk[i + 3];
    for (let c = 0; c < 3; c++) rgb[o++] = light - product(cmyk[i + c], light);
  }
  return rgb;
}

/** a·b/255, rounded, of two bytes. */
function product(a: number, b: number): number {
  const t = a * b + 128;
  return ((t >> 8) + t) >> 8;
}

/**
 * 16-bit gray is clipped, not scaled: depth maps in millimeters and the like become almost white.
 *
 * @param gray two bytes a pixel, the lower first
 */
function clippedToRgb(gray: Uint8ClampedArray): Uint8ClampedArray {
  const rgb = new Uint8ClampedArray((gray.length / 2) * 3);
  for (let i = 0, o = 0; i < gray.length; i += 2, o += 3) rgb.fill(gray[i + 1] > 0 ? 255 : gray[i], o, o + 3);
  return rgb;
}

/** 16-bit channels as Pillow reads them in all other modes: each as its higher byte, which is the second. */
const highBytes = (channels: Uint8ClampedArray): Uint8ClampedArray => channels.filter((_, i) => i % 2 === 1);

/** The formats that are read here. Among the others that sharp knows, SVG would run a renderer. */
export type ImageFormat = 'JPEG' | 'PNG' | 'WebP' | 'GIF' | 'TIFF' | 'AVIF';

/** The first bytes of a file as text; `?` for any. */
const SIGNATURES: readonly [ImageFormat, string][] = [
  ['JPEG', '\xff\xd8\xff'],
  ['PNG', '\x89PNG\r\n\x1a\n'],
  ['WebP', 'RIFF????WEBP'],
  ['GIF', 'GIF87a'],
  ['GIF', 'GIF89a'],
  ['TIFF', 'II*\0'],
  ['TIFF', 'MM\0*'],
  ['AVIF', '????ftypavif'],
];

/** The format of a file by its first bytes, regardless of its name; undefined if it is none of these. */
export const formatOf = (bytes: Uint8Array): ImageFormat | undefined =>
  SIGNATURES.find(([, signature]) => startsWith(bytes, signature))?.[0];

const startsWith = (bytes: Uint8Array, signature: string): boolean =>
  [...signature].every((c, i) => c === '?' || bytes[i] === c.charCodeAt(0));
