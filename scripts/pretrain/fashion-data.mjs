/**
 * Makes the data of the image demo: Fashion-MNIST's images of the classes that the vision transformer has not seen, as
 * Parquet files with PNG images, in the form in which the Hugging Face hub publishes images. Needs Debian's package
 * dataset-fashion-mnist; the result is committed.
 *
 *     node scripts/pretrain/fashion-data.mjs [--data FOLDER OF THE IDX FILES]
 */
import { DuckDBInstance } from '@duckdb/node-api';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import sharp from 'sharp';
import { main, say } from '../lib/console.mjs';
import { ROOT } from '../lib/run.mjs';

/** Labels that vit.py does not pretrain on, as in fashion_mnist.py, with their names in Fashion-MNIST. */
const UNSEEN = { 0: 'T-shirt/top', 2: 'Pullover', 4: 'Coat', 6: 'Shirt', 8: 'Bag' };

/** Our file: Fashion-MNIST's, and how many images of each class, its first. */
const SPLITS = { train: ['train', 500], validation: ['t10k', 120] };
const SIDE = 28;

await main(async () => {
  const { data } = parseArgs({
    options: { data: { type: 'string', default: '/usr/share/datasets/fashion-mnist' } },
  }).values;
  for (const [split, [theirs, each]] of Object.entries(SPLITS)) {
    const rows = await pictures(data, theirs, each);
    await writeParquet(rows, join(ROOT, 'demo', 'data', `fashion-${split}.parquet`));
    say(`${split}: ${rows.length} images`);
  }
});

/** The first `each` images of each class, in the order of the file: `png` (base64), `path` and `label`. */
async function pictures(folder, split, each) {
  const read = (name) => gunzipSync(readFileSync(join(folder, `${split}-${name}-ubyte.gz`)));
  const [images, labels] = [read('images-idx3').subarray(16), read('labels-idx1').subarray(8)];
  const left = new Map(Object.keys(UNSEEN).map((label) => [Number(label), each]));
  const rows = [];
  for (const [i, label] of labels.entries()) {
    if (!left.get(label)) continue;
    left.set(label, left.get(label) - 1);
    const gray = images.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE);
    const raw = { width: SIDE, height: SIDE, channels: 1 };
    const png = await sharp(gray, { raw }).toColorspace('b-w').png({ compressionLevel: 9 }).toBuffer();
    rows.push({ png: png.toString('base64'), path: `${split}-${i}.png`, label: UNSEEN[label] });
  }
  return rows;
}

async function writeParquet(rows, file) {
  const scratch = mkdtempSync(join(tmpdir(), 'aurora-fashion-'));
  try {
    const json = join(scratch, 'rows.json');
    writeFileSync(json, JSON.stringify(rows));
    const database = await DuckDBInstance.create(':memory:');
    const connection = await database.connect();
    // PNG files do not become smaller, so they are stored as they are.
    await connection.run(
      `copy (select {bytes: from_base64(png), path: path} as image, label from read_json('${json}')) ` +
        `to '${file}' (format parquet, compression uncompressed)`,
    );
    connection.closeSync();
    database.closeSync();
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
