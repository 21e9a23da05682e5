import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as Ort from 'onnxruntime-node';
import { GraphBuilder } from '../graph/builder';
import { DType } from '../graph/dtype';
import { type Graph, INTERNAL_IR_VERSION, INTERNAL_OPSET } from '../graph/model';
import { encodeModel } from '../graph/onnx/encode';
import { provideOldUtil } from './tfjs/backends';

/**
 * Multiplies two matrices with the ONNX Runtime in `folder`, on its CUDA provider only.
 * @throws the runtime's own errors
 */
export async function multiplyOnCuda(folder: string): Promise<void> {
  const full = join(folder, 'node_modules/onnxruntime-node');
  // By path: the name alone may resolve to another copy in this process.
  const ort = createRequire(join(full, 'package.json'))(full) as typeof Ort;
  const session = await ort.InferenceSession.create(product(), {
    executionProviders: ['cuda'],
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  });
  const a = new ort.Tensor('float32', Float32Array.of(1, 2, 3, 4), [2, 2]);
  const { y } = await session.run({ a, b: a });
  await session.release();
  if (String(y.data) !== '7,10,15,22') throw new Error(`the product of two matrices came out as ${y.data}`);
}

function product(): Uint8Array {
  const graph: Graph = { name: 'product', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const g = new GraphBuilder(graph, '');
  const inputs = ['a', 'b'].map((name) => g.addInput(name, DType.float, [2, 2]));
  g.ops('MatMul', inputs, {}, { outputs: ['y'] });
  graph.outputs.push({ name: 'y', dtype: DType.float, shape: [2, 2] });
  return encodeModel({
    irVersion: INTERNAL_IR_VERSION,
    producer: 'aurora-lab',
    opsets: new Map([['', INTERNAL_OPSET]]),
    graph,
    metadata: new Map(),
  });
}

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
