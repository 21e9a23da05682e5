/** Conversions of modes "CMYK" and "I;16" to "RGB" as in Pillow. */

/**
 * Without color profiles: each color times the part that black leaves.
 *
 * @param cmyk four bytes a pixel, 255 for full ink
 */
export function cmykToRgb(cmyk: Uint8ClampedArray): Uint8ClampedArray {
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
export function clippedToRgb(gray: Uint8ClampedArray): Uint8ClampedArray {
  const rgb = new Uint8ClampedArray((gray.length / 2) * 3);
  for (let i = 0, o = 0; i < gray.length; i += 2, o += 3) rgb.fill(gray[i + 1] > 0 ? 255 : gray[i], o, o + 3);
  return rgb;
}

/** 16-bit channels as Pillow reads them in all other modes: each as its higher byte, which is the second. */
export const highBytes = (channels: Uint8ClampedArray): Uint8ClampedArray =>
  channels.filter((_, i) => i % 2 === 1);
