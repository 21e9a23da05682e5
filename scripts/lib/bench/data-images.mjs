import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { gigabytes, imageExperiments } from './data-cases.mjs';

/** Images of a Parquet file, which has one row group. */
const GROUP = 500;
/** Different pictures; the others have the same pixels and another number. */
const PICTURES = 40;
const SIDE = 256;

/** JPEGs of some 90 kB in several Parquet files, as the hub has them. @param {string} folder @param {number} bytes */
export async function parquetImageCase(folder, bytes) {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const make = await jpegs();
  const files = Math.max(1, Math.round(bytes / (GROUP * make(0).length)));
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  await connection.run('set threads to 2');
  const number = (n) => String(n).padStart(5, '0');
  const images = join(folder, 'images');
  for (let file = 0; file < files; file++) {
    mkdirSync(images);
    for (let i = 0; i < GROUP; i++) writeFileSync(join(images, `${i}.jpg`), make(file * GROUP + i));
    const path = join(folder, `all-${number(file)}-of-${number(files)}.parquet`);
    await connection.run(
      `copy (select {'bytes': content, 'path': null::varchar} as image, 'kind-' || (row_number() over () % 10) as label from read_blob('${images}/*.jpg')) to '${path}' (format parquet)`,
    );
    rmSync(images, { recursive: true });
  }
  connection.closeSync();
  database.closeSync();
  const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
  const size = gigabytes(sizes.reduce((a, b) => a + b, 0));
  const what = `${size} of JPEG images in ${files} Parquet files, each with ${GROUP} images in one row group`;
  return { what, ...imageExperiments(folder, 'all-*.parquet', 'jpg', make) };
}

/** @returns a JPEG by its number, which it has as a comment */
async function jpegs() {
  const pictures = await Promise.all(Array.from({ length: PICTURES }, (_, k) => noise(k)));
  return (number) => {
    const picture = pictures[number % PICTURES];
    const comment = Buffer.from([0xff, 0xfe, 0, 6, 0, 0, 0, 0]);
    comment.writeUInt32BE(number, 4);
    return Buffer.concat([picture.subarray(0, 2), comment, picture.subarray(2)]);
  };
}

function noise(k) {
  const pixels = Buffer.alloc(3 * SIDE * SIDE);
  for (let i = 0; i < pixels.length; i++) pixels[i] = Math.imul(i + 977 * k, 2654435761) >>> 24;
  return sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } })
    .jpeg({ quality: 80 })
    .toBuffer();
}
