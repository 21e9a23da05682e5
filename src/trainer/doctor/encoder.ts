import { GraphBuilder } from '../../graph/builder';
import { DType } from '../../graph/dtype';
import { INTERNAL_OPSET, type Graph, type Model } from '../../graph/model';
import { tensorOf } from '../../graph/values';
import { normal, Stream } from '../../shared/random';

/** What is trained to time a device: large enough to keep a GPU busy, small enough for a processor. */
export const ENCODER = { layers: 4, hidden: 256, heads: 4, vocabulary: 4096, batch: 8, length: 64 };

const STD = 0.02;

/**
 * A BERT-like encoder with random weights: input_ids [batch, sequence] to last_hidden_state
 * [batch, sequence, hidden]; modules are named as an exporter would.
 */
export function encoder({ layers, hidden, heads, vocabulary } = ENCODER): Model {
  const graph: Graph = { name: 'encoder', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const g = new GraphBuilder(graph, '/encoder');
  let tensors = 0;
  const weight = (name: string, dims: number[], constant?: number) => {
    const size = dims.reduce((a, b) => a * b, 1);
    const stream = tensors++;
    const value = (i: number) => constant ?? STD * normal(0, Stream.initialization, stream, 0, i);
    return g.addInitializer(
      tensorOf(
        name,
        DType.float,
        dims,
        Array.from({ length: size }, (_, i) => value(i)),
      ),
    );
  };
  const linear = (path: string, x: string, from: number, to: number) => {
    const scope = `/${path.replaceAll('.', '/')}`;
    const y = g.op('MatMul', [x, weight(`${path}.weight`, [from, to])], {}, { name: `${scope}/MatMul` });
    return g.op('Add', [weight(`${path}.bias`, [to], 0), y], {}, { name: `${scope}/Add` });
  };
  const norm = (path: string, x: string) =>
    g.op('LayerNormalization', [
      x,
      weight(`${path}.weight`, [hidden], 1),
      weight(`${path}.bias`, [hidden], 0),
    ]);
  const split = (x: string, order: number[]) =>
    g.op('Transpose', [g.op('Reshape', [x, g.ints([0, 0, heads, hidden / heads])])], { perm: order });

  const ids = g.addInput('input_ids', DType.int64, ['batch', 'sequence']);
  let x = norm('norm', g.op('Gather', [weight('embeddings.weight', [vocabulary, hidden]), ids]));
  const scale = g.scalar(Math.sqrt(heads / hidden), DType.float);
  for (let layer = 0; layer < layers; layer++) {
    const path = (name: string) => `layer.${layer}.${name}`;
    const query = split(linear(path('query'), x, hidden, hidden), [0, 2, 1, 3]);
    const key = split(linear(path('key'), x, hidden, hidden), [0, 2, 3, 1]);
    const value = split(linear(path('value'), x, hidden, hidden), [0, 2, 1, 3]);
    const scores = g.op('Softmax', [g.op('Mul', [g.op('MatMul', [query, key]), scale])], { axis: -1 });
    const heard = g.op('Transpose', [g.op('MatMul', [scores, value])], { perm: [0, 2, 1, 3] });
    const joined = g.op('Reshape', [heard, g.ints([0, 0, hidden])]);
    x = norm(path('attention.norm'), g.op('Add', [x, linear(path('dense'), joined, hidden, hidden)]));
    const inner = g.op('Gelu', [linear(path('inter'), x, hidden, 4 * hidden)]);
    x = norm(path('output.norm'), g.op('Add', [x, linear(path('out'), inner, 4 * hidden, hidden)]));
  }
  g.addOutput(g.op('Identity', [x], {}, { outputs: ['last_hidden_state'] }));
  return {
    irVersion: 10,
    producer: 'aurora-lab',
    opsets: new Map([['', INTERNAL_OPSET]]),
    graph,
    metadata: new Map(),
  };
}
