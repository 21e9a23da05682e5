import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { ROOT } from '../run.mjs';

const SIDE = 32;
const CHANNELS = 3;
const CLASSES = 10;
/** Fashion-MNIST's labels. */
export const LABEL = { dress: 3, sneaker: 7, bag: 8 };

/**
 * The label of each picture of 32 × 32 pixels, by the classifier that was trained on real pictures of all classes
 * (demo/models/README.md).
 * @param {string[]} paths of PNG files
 * @returns {Promise<number[]>}
 */
export async function classify(paths) {
  const session = await InferenceSession.create(join(ROOT, 'demo/models/fashion-classifier/model.onnx'));
  const pixels = new Float32Array(paths.length * CHANNELS * SIDE * SIDE);
  for (const [i, path] of paths.entries()) {
    const { data } = await sharp(path)
      .removeAlpha()
      .toColorspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    const plane = SIDE * SIDE;
    for (let p = 0; p < plane; p++)
      for (let c = 0; c < CHANNELS; c++)
        pixels[(i * CHANNELS + c) * plane + p] = data[p * CHANNELS + c] / 127.5 - 1;
  }
  const sample = new Tensor('float32', pixels, [paths.length, CHANNELS, SIDE, SIDE]);
  const { logits } = await session.run({ sample });
  return paths.map((_, i) => {
    const row = [...logits.data.slice(i * CLASSES, (i + 1) * CLASSES)];
    return row.indexOf(Math.max(...row));
  });
}

/** Share of the pictures that have the label. */
export async function share(paths, label) {
  const labels = await classify(paths);
  return labels.filter((l) => l === label).length / labels.length;
}
