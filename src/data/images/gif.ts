import type { Size } from './image';

/** The first frame of a GIF. */
export interface FirstFrame {
  /** A GIF with this frame alone and without transparency. */
  gif: Uint8Array;
  /** The whole image, and the frame's place in it. */
  canvas: Size;
  left: number;
  top: number;
  /** Red, green and blue around the frame. */
  around: [number, number, number];
}

const HEADER = 13;
const DESCRIPTOR = 10;
const EXTENSION = 0x21;
const IMAGE = 0x2c;
const TRAILER = 0x3b;
const GRAPHIC_CONTROL = 0xf9;

/**
 * The first frame as Pillow's mode "P" shows it: transparent pixels have their color in the palette, and around the
 * frame is that of the transparent index, or else of index 0. libvips makes transparent pixels black, and gives the
 * area around the frame the background color.
 *
 * @param bytes a GIF (version 89a: https://www.w3.org/Graphics/GIF/spec-gif89a.txt)
 * @returns undefined if there is no frame, or none with its palette
 */
export function firstFrame(bytes: Uint8Array): FirstFrame | undefined {
  const at = findImage(bytes);
  if (at === undefined) return undefined;
  const [left, top, width, height] = [1, 3, 5, 7].map((offset) => u16(bytes, at.image + offset));
  const palettes = at.image + DESCRIPTOR;
  const data = palettes + paletteLength(bytes[at.image + 9]);
  if (data > bytes.length) return undefined;
  const global = bytes.subarray(HEADER, HEADER + paletteLength(bytes[10]));
  const palette = data > palettes ? bytes.subarray(palettes, data) : global;
  const frame = bytes.subarray(at.image, endOfBlocks(bytes, data + 1));
  const gif = Buffer.concat([bytes.subarray(0, HEADER), global, frame, Uint8Array.of(TRAILER)]);
  // The frame is the whole image.
  gif.writeUInt16LE(width, 6);
  gif.writeUInt16LE(height, 8);
  gif.fill(0, HEADER + global.length + 1, HEADER + global.length + 5);
  const index = 3 * (at.transparent ?? 0);
  return {
    gif,
    canvas: { width: Math.max(u16(bytes, 6), left + width), height: Math.max(u16(bytes, 8), top + height) },
    left,
    top,
    around: [palette[index] ?? 0, palette[index + 1] ?? 0, palette[index + 2] ?? 0],
  };
}

/** The position of the first image descriptor, and the transparent index if the blocks before it name one. */
function findImage(bytes: Uint8Array): { image: number; transparent?: number } | undefined {
  let at = HEADER + paletteLength(bytes[10]);
  let transparent: number | undefined;
  while (at < bytes.length && bytes[at] !== TRAILER) {
    if (bytes[at] === IMAGE) return { image: at, transparent };
    if (bytes[at] !== EXTENSION) {
      // Bytes between blocks are skipped, as Pillow does.
      at++;
      continue;
    }
    if (bytes[at + 1] === GRAPHIC_CONTROL && bytes[at + 3] & 1) transparent = bytes[at + 6];
    at = endOfBlocks(bytes, at + 2);
  }
  return undefined;
}

/** The bytes of a color table, by the flags that announce it. */
const paletteLength = (flags: number): number => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);

/** The end of a chain of data sub-blocks, behind the empty one. */
function endOfBlocks(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] > 0) at += bytes[at] + 1;
  return at + 1;
}

const u16 = (bytes: Uint8Array, at: number): number => bytes[at] | (bytes[at + 1] << 8);
