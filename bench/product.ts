import { readFileSync } from 'node:fs';
import { openSession } from '../src/engine/onnxruntime/session';
import { GraphBuilder } from '../src/graph/builder';
import { DType } from '../src/graph/dtype';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET, type Graph } from '../src/graph/model';
import { encodeModel } from '../src/graph/onnx/encode';
import type { BenchCase } from './case';
import { answerCommands } from './commands';

/** Long enough for the threads of the session before to stop waiting in a loop. */
const MILLISECONDS = 150;

/** A product of `rows` rows with a packed weight: the most that the runtime's float32 products reach here. */
async function openProduct(rows: number, columns: number, width: number, threads: number) {
  const graph: Graph = { name: 'product', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const g = new GraphBuilder(graph, '/product');
  const x = g.addInput('x', DType.float, [rows, columns]);
  const numbers = (count: number) => Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 101) / 101);
  const y = g.op('MatMul', [x, g.constant(DType.float, [columns, width], [...numbers(columns * width)])]);
  // Its result stays in the runtime: only one number is fetched.
  const corner = g.op('Slice', [y, g.ints([0, 0]), g.ints([1, 1])]);
  g.addOutput(corner);
  const session = await openSession(
    encodeModel({
      irVersion: INTERNAL_IR_VERSION,
      producer: 'aurora-lab',
      opsets: new Map([['', INTERNAL_OPSET]]),
      graph,
      metadata: new Map(),
    }),
    { threads, prepack: true },
  );
  const feeds = { x: { dtype: DType.float, dims: [rows, columns], data: numbers(rows * columns) } };
  return {
    /** Billions of operations per second, at best. */
    async rate(): Promise<number> {
      let fastest = Infinity;
      const end = performance.now() + MILLISECONDS;
      for (let last = performance.now(); last < end;) {
        await session.run(feeds);
        const now = performance.now();
        fastest = Math.min(fastest, now - last);
        last = now;
      }
      return (2e-6 * rows * columns * width) / fastest;
    },
  };
}

/**
 * The machine's limit in the benchmark of a step. Usage: product CASE THREADS. Its command "product" answers with the best
 * rate of the products that the case's encoder consists of, `gflops`.
 */
async function main(path: string, threads: number): Promise<void> {
  const { inputs, trainable } = JSON.parse(readFileSync(path, 'utf8')) as BenchCase;
  const [batch, length] = inputs.input_ids.dims;
  const [, hidden] = trainable['head.weight'].dims;
  const rows = batch * length;
  const products = [
    await openProduct(rows, hidden, hidden, threads),
    await openProduct(rows, hidden, 4 * hidden, threads),
    await openProduct(rows, 4 * hidden, hidden, threads),
  ];
  await answerCommands({
    async product() {
      let gflops = 0;
      for (const product of products) gflops = Math.max(gflops, await product.rate());
      return { gflops };
    },
  });
}

process.env.ORT_DISABLE_TELEMETRY = '1';
const [path, threads] = process.argv.slice(2);
void main(path, Number(threads));
