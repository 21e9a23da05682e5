/**
 * Makes the data of the picture demo: the class of Fashion-MNIST that the small pipeline has not seen, bags, as PNG files
 * with a black border around 28 × 28 pixels. Needs Debian's package dataset-fashion-mnist; the result is committed.
 *
 *     node scripts/pretrain/bags-data.mjs [--data FOLDER OF THE IDX FILES]
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import sharp from 'sharp';
import { main, say } from '../lib/console.mjs';
import { ROOT } from '../lib/run.mjs';

/** Fashion-MNIST's label of bags. */
const BAG = 8;
/** Our folder: Fashion-MNIST's files, and which of its bags. `test` is for what was chosen by `validation`. */
const SPLITS = { train: ['train', 0, 64], validation: ['t10k', 0, 48], test: ['t10k', 48, 96] };
const SIDE = 28;
const BORDER = 2;

await main(async () => {
  const { data } = parseArgs({
    options: { data: { type: 'string', default: '/usr/share/datasets/fashion-mnist' } },
  }).values;
  for (const [split, [theirs, first, end]] of Object.entries(SPLITS)) {
    const folder = join(ROOT, 'demo/data/fashion-bags', split);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const bags = bagsOf(data, theirs, first, end);
    for (const [i, bag] of bags.entries())
      await bag.toFile(join(folder, `bag-${String(i + 1).padStart(2, '0')}.png`));
    say(`${split}: ${bags.length} images`);
  }
});

/** The bags as sharp images. */
function bagsOf(folder, split, first, end) {
  const read = (name) => gunzipSync(readFileSync(join(folder, `${split}-${name}-ubyte.gz`)));
  const [images, labels] = [read('images-idx3').subarray(16), read('labels-idx1').subarray(8)];
  const at = [...labels.keys()].filter((i) => labels[i] === BAG).slice(first, end);
  return at.map((i) => {
    const gray = images.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE);
    return sharp(gray, { raw: { width: SIDE, height: SIDE, channels: 1 } })
      .extend({ top: BORDER, bottom: BORDER, left: BORDER, right: BORDER, background: 'black' })
      .toColorspace('b-w')
      .png({ compressionLevel: 9 });
  });
}
