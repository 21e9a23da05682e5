import { GraphBuilder } from '../graph/builder';
import { DType } from '../graph/dtype';
import type { Graph, Model } from '../graph/model';
import { tensorOf } from '../graph/values';
import type { Weight } from './tfjs-weights';
import { USE_LITE, layerWidth } from './use-lite-weights';

/**
 * USE-lite as an ONNX graph of opset 17: input_ids and attention_mask, int64 [batch, sequence], to last_hidden_state
 * [batch, sequence, 512] and pooler_output [batch, 512]. Nodes follow PyTorch's exporter's naming, so that module paths
 * (encoder.layer.0.attention.query) can be derived.
 * @param weights useLiteWeights' result
 */
export function useLiteModel(weights: ReadonlyMap<string, Weight>): Model {
  const graph: Graph = { name: 'use-lite', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const b = new GraphBuilder(graph, '');
  for (const [name, w] of weights) b.addInitializer(tensorOf(name, DType.float, w.shape, w.data));
  b.addInput('input_ids', DType.int64, ['batch', 'sequence']);
  b.addInput('attention_mask', DType.int64, ['batch', 'sequence']);

  const net = new Network(b);
  const mask = net.op('embeddings', 'Cast', ['attention_mask'], { to: DType.float });
  const tokenMask = net.op('embeddings', 'Unsqueeze', [mask, b.ints([2])]);
  const bias = attentionBias(net, mask);
  let hidden = embeddings(net, tokenMask);
  for (let layer = 0; layer < USE_LITE.layers; layer++)
    hidden = encoderLayer(net, layer, hidden, tokenMask, bias);
  pooler(net, hidden, mask, tokenMask);

  const output = (name: string, shape: (number | string)[]) =>
    graph.outputs.push({ name, dtype: DType.float, shape });
  output('last_hidden_state', ['batch', 'sequence', USE_LITE.hidden]);
  output('pooler_output', ['batch', USE_LITE.hidden]);
  return { irVersion: 8, producer: 'aurora-lab', opsets: new Map([['', 17]]), graph, metadata: new Map() };
}

type Attributes = Parameters<GraphBuilder['op']>[2];

/** Emits nodes under a module's path: module "a.b" and MatMul make "/a/b/MatMul", then "/a/b/MatMul_1". */
class Network {
  private readonly counts = new Map<string, number>();
  constructor(readonly b: GraphBuilder) {}

  op(module: string, opType: string, inputs: string[], attributes: Attributes = {}, output?: string): string {
    // A layer's number belongs to its name: layer.0 is one component of the path.
    const path = module.replace(/\.(?!\d)/g, '/');
    const base = `/${path}/${opType}`;
    const count = this.counts.get(base) ?? 0;
    this.counts.set(base, count + 1);
    const name = count ? `${base}_${count}` : base;
    return this.b.op(opType, inputs, attributes, { name, outputs: [output ?? `${name}_output_0`] });
  }

  linear(module: string, x: string): string {
    const product = this.op(module, 'MatMul', [x, `${module}.weight`]);
    return this.op(module, 'Add', [product, `${module}.bias`]);
  }

  norm(module: string, x: string): string {
    const inputs = [x, `${module}.weight`, `${module}.bias`];
    return this.op(module, 'LayerNormalization', inputs, { axis: -1, epsilon: { float: 1e-6 } });
  }

  float(value: number): string {
    return this.b.scalar(value, DType.float);
  }
}

/** 0 for a visible token, -1e9 for padding: [batch, 1, 1, sequence]. */
function attentionBias(net: Network, mask: string): string {
  const keys = net.op('embeddings', 'Unsqueeze', [mask, net.b.ints([1, 2])]);
  const padding = net.op('embeddings', 'Sub', [net.float(1), keys]);
  return net.op('embeddings', 'Mul', [padding, net.float(-1e9)]);
}

/** Twice the word vectors plus sinusoidal positions, sines first; zero on padding. */
function embeddings(net: Network, tokenMask: string): string {
  const { b } = net;
  const op = (opType: string, inputs: string[], attributes?: Attributes) =>
    net.op('embeddings', opType, inputs, attributes);
  const words = net.op('embeddings.word_embeddings', 'Gather', [
    'embeddings.word_embeddings.weight',
    'input_ids',
  ]);
  const length = op('Gather', [op('Shape', ['input_ids']), b.scalar(1, DType.int64)]);
  const range = op('Range', [b.scalar(0, DType.int64), length, b.scalar(1, DType.int64)]);
  const position = op('Unsqueeze', [op('Cast', [range], { to: DType.float }), b.ints([1])]);
  const angle = op('Mul', [position, 'embeddings.inverse_timescales']);
  const timing = op('Concat', [op('Sin', [angle]), op('Cos', [angle])], { axis: 1 });
  const sum = op('Add', [op('Mul', [words, net.float(2)]), timing]);
  return op('Mul', [sum, tokenMask]);
}

/** Pre-LayerNorm: attention and feed-forward, each added to its input. */
function encoderLayer(net: Network, layer: number, x: string, tokenMask: string, bias: string): string {
  const m = `encoder.layer.${layer}`;
  const attended = attention(net, layer, net.norm(`${m}.attention_norm`, x), bias);
  let residual = x;
  if (layerWidth(layer) !== USE_LITE.hidden)
    residual = net.op(`${m}.residual`, 'Mul', [net.linear(`${m}.residual`, x), tokenMask]);
  const y = net.op(m, 'Add', [residual, attended]);
  const inner = net.op(`${m}.ffn`, 'Relu', [net.linear(`${m}.ffn.fc1`, net.norm(`${m}.ffn_norm`, y))]);
  const output = layer === USE_LITE.layers - 1 ? 'last_hidden_state' : undefined;
  return net.op(m, 'Add', [y, net.linear(`${m}.ffn.fc2`, inner)], {}, output);
}

function attention(net: Network, layer: number, x: string, bias: string): string {
  const m = `encoder.layer.${layer}.attention`;
  const width = layerWidth(layer);
  const headWidth = width / USE_LITE.heads;
  const op = (opType: string, inputs: string[], attributes?: Attributes) =>
    net.op(m, opType, inputs, attributes);
  const heads = (name: string, perm: number[]) => {
    const split = net.b.ints([0, 0, USE_LITE.heads, headWidth]);
    return op('Transpose', [op('Reshape', [net.linear(`${m}.${name}`, x), split])], { perm });
  };
  const query = op('Mul', [heads('query', [0, 2, 1, 3]), net.float(1 / Math.sqrt(headWidth))]);
  const scores = op('Add', [op('MatMul', [query, heads('key', [0, 2, 3, 1])]), bias]);
  const mixed = op('MatMul', [op('Softmax', [scores], { axis: -1 }), heads('value', [0, 2, 1, 3])]);
  const merged = op('Reshape', [op('Transpose', [mixed], { perm: [0, 2, 1, 3] }), net.b.ints([0, 0, width])]);
  return net.linear(`${m}.output`, merged);
}

/** tanh of a linear layer over the mean of the tokens; normalized to length 1, it is USE's sentence embedding. */
function pooler(net: Network, hidden: string, mask: string, tokenMask: string): void {
  const op = (opType: string, inputs: string[], attributes?: Attributes) =>
    net.op('pooler', opType, inputs, attributes);
  const sum = op('ReduceSum', [op('Mul', [hidden, tokenMask]), net.b.ints([1])], { keepdims: 0 });
  const count = op('Max', [op('ReduceSum', [mask, net.b.ints([1])], { keepdims: 1 }), net.float(1)]);
  const dense = net.linear('pooler.dense', op('Div', [sum, count]));
  net.op('pooler', 'Tanh', [dense], {}, 'pooler_output');
}
