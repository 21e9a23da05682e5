import sharp from 'sharp';

const SIDE = 32;
const SCALE = 2;
const GAP = 4;

/**
 * Writes a PNG file with pictures of 32 × 32 pixels, twice as large.
 * @param {string} out
 * @param {string[][]} rows paths of PNG files, from the top
 */
export async function writeContactSheet(out, rows) {
  const cell = SIDE * SCALE + GAP;
  const columns = Math.max(...rows.map((row) => row.length));
  const parts = await Promise.all(
    rows.flatMap((row, y) =>
      row.map(async (path, x) => ({
        input: await sharp(path)
          .resize(SIDE * SCALE, SIDE * SCALE, { kernel: 'nearest' })
          .png()
          .toBuffer(),
        left: GAP + x * cell,
        top: GAP + y * cell,
      })),
    ),
  );
  const size = { width: GAP + columns * cell, height: GAP + rows.length * cell };
  await sharp({ create: { ...size, channels: 3, background: 'white' } })
    .composite(parts)
    .toColorspace('b-w')
    .png({ compressionLevel: 9 })
    .toFile(out);
}
