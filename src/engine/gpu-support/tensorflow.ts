import { createRequire } from 'node:module';
import { join } from 'node:path';
import { provideOldUtil } from '../tfjs/backends/old-util';

interface Tf {
  ready(): Promise<void>;
  getBackend(): string;
  backend(): { isUsingGpuDevice?: boolean };
  tensor2d(values: number[][]): unknown;
  matMul(a: unknown, b: unknown): { data(): Promise<Float32Array> };
}

/**
 * Multiplies two matrices with the TensorFlow in `folder`.
 * @returns true if on a GPU; without one it falls back to the CPU
 * @throws its loader's own errors
 */
export async function multiplyOnTensorflow(folder: string): Promise<boolean> {
  provideOldUtil();
  const load = createRequire(join(folder, 'node_modules/_.js'));
  const tf = load('@tensorflow/tfjs-node-gpu') as Tf;
  await tf.ready();
  const a = tf.tensor2d([
    [1, 2],
    [3, 4],
  ]);
  const y = await tf.matMul(a, a).data();
  if (String(y) !== '7,10,15,22') throw new Error(`the product of two matrices came out as ${y}`);
  return tf.getBackend() === 'tensorflow' && tf.backend().isUsingGpuDevice === true;
}
