import { GraphBuilder } from '../../../graph/builder';
import { DType } from '../../../graph/dtype';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET, type Graph } from '../../../graph/model';
import { encodeModel } from '../../../graph/onnx/encode';
import { openSession, type SessionOptions } from '../session';

const SIZE = 64;
/** With them, two products of an unsigned and a signed integer fit into 16 bits: 2 · 255 · 64 < 2^15. */
const SEVEN_BITS = 64;
const EIGHT_BITS = 127;

/**
 * The largest magnitude of an integer weight on this processor. Without VNNI, Intel's and AMD's add pairs of products
 * in 16 bits, and saturate. Found by a product of the largest numbers, since no runtime reports it.
 */
export async function largestWeight(options: SessionOptions): Promise<number> {
  const graph: Graph = { name: 'saturation', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const g = new GraphBuilder(graph, '/saturation');
  const x = g.addInput('x', DType.uint8, [SIZE, SIZE]);
  const weight = g.constant(DType.int8, [SIZE, SIZE], Array<number>(SIZE * SIZE).fill(EIGHT_BITS));
  const product = g.op('MatMulInteger', [x, weight]);
  g.addOutput(product);
  const model = {
    irVersion: INTERNAL_IR_VERSION,
    producer: 'aurora-lab',
    opsets: new Map([['', INTERNAL_OPSET]]),
    graph,
    metadata: new Map<string, string>(),
  };
  const session = await openSession(encodeModel(model), options);
  try {
    const data = new Uint8Array(SIZE * SIZE).fill(255);
    const out = await session.run({ x: { dtype: DType.uint8, dims: [SIZE, SIZE], data } });
    const exact = Array.from(out[product].data, Number).every((sum) => sum === SIZE * 255 * EIGHT_BITS);
    return exact ? EIGHT_BITS : SEVEN_BITS;
  } finally {
    await session.dispose();
  }
}
