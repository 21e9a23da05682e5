import { GraphBuilder } from '../../graph/builder';
import { DType } from '../../graph/dtype';
import { elementCount, type Graph, type Model } from '../../graph/model';
import { normal } from '../../base/random';

/** A BERT-like encoder: post-LayerNorm, learned positions, exact GELU, an additive attention mask. */
export interface EncoderSize {
  layers: number;
  hidden: number;
  heads: number;
  feedForward: number;
  vocabulary: number;
  positions: number;
}

/** BERT's layer_norm_eps. */
export const EPSILON = 1e-12;
/** BERT's initializer range, and the lowest float32, which exporters use for masks. */
const STD = 0.02;
const MASKED = -3.4028234663852886e38;

/**
 * The encoder with random weights, in the form that torch.onnx.export produces at opset 17: linear layers as MatMul and
 * Add with transposed weights and numbered names, GELU decomposed around Erf, LayerNormalization as one operator,
 * shapes computed from the inputs. Inputs input_ids and attention_mask (batch, sequence) int64; output
 * last_hidden_state (batch, sequence, hidden).
 */
export function encoderModel(size: EncoderSize): Model {
  const graph: Graph = { name: 'main_graph', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const e = new EncoderWriter(new GraphBuilder(graph, '/constants'), size);
  const ids = e.g.addInput('input_ids', DType.int64, ['batch', 'sequence']);
  const mask = e.g.addInput('attention_mask', DType.int64, ['batch', 'sequence']);
  const bias = e.maskBias(mask);
  let x = e.embeddings(ids);
  for (let i = 0; i < size.layers; i++) x = e.layer(`encoder.layer.${i}`, x, bias, i === size.layers - 1);
  graph.outputs.push({ name: x, dtype: DType.float, shape: ['batch', 'sequence', size.hidden] });
  return {
    irVersion: 8,
    producer: 'aurora-lab',
    opsets: new Map([['', 17]]),
    graph,
    metadata: new Map(),
  };
}

class EncoderWriter {
  private weights = 0;

  constructor(
    readonly g: GraphBuilder,
    private readonly size: EncoderSize,
  ) {}

  embeddings(ids: string): string {
    const { hidden, vocabulary, positions } = this.size;
    const path = 'embeddings';
    const words = this.random(`${path}.word_embeddings.weight`, [vocabulary, hidden]);
    const places = this.random(`${path}.position_embeddings.weight`, [positions, hidden]);
    const all = this.g.constant(DType.int64, [1, positions], [...Array(positions).keys()]);
    const length = this.lengthOf(path, ids, 1);
    const used = this.op(path, 'Slice', [all, this.g.ints([0]), length, this.g.ints([1])]);
    const word = this.op(`${path}.word_embeddings`, 'Gather', [words, ids]);
    const place = this.op(`${path}.position_embeddings`, 'Gather', [places, used]);
    return this.norm(`${path}.LayerNorm`, this.op(path, 'Add', [word, place]));
  }

  /** 0 where a token counts, otherwise the lowest float: (batch, 1, 1, sequence). */
  maskBias(mask: string): string {
    const wide = this.op('', 'Unsqueeze', [mask, this.g.ints([1, 2])]);
    const real = this.op('', 'Cast', [wide], { to: DType.float });
    const absent = this.op('', 'Sub', [this.g.scalar(1, DType.float), real]);
    return this.op('', 'Mul', [absent, this.g.scalar(MASKED, DType.float)]);
  }

  layer(path: string, x: string, bias: string, last: boolean): string {
    const { feedForward, hidden } = this.size;
    const attended = this.attention(`${path}.attention.self`, x, bias);
    const projected = this.linear(`${path}.attention.output.dense`, attended, hidden, hidden);
    const sum = this.op(`${path}.attention.output`, 'Add', [projected, x]);
    const middle = this.norm(`${path}.attention.output.LayerNorm`, sum);
    const inner = this.linear(`${path}.intermediate.dense`, middle, hidden, feedForward);
    const active = this.gelu(`${path}.intermediate.intermediate_act_fn`, inner);
    const outer = this.linear(`${path}.output.dense`, active, feedForward, hidden);
    const end = this.op(`${path}.output`, 'Add', [outer, middle]);
    return this.norm(`${path}.output.LayerNorm`, end, last ? 'last_hidden_state' : undefined);
  }

  private attention(path: string, x: string, bias: string): string {
    const { hidden, heads } = this.size;
    const width = hidden / heads;
    const split = (module: string, perm: number[]) => {
      const flat = this.linear(`${path}.${module}`, x, hidden, hidden);
      const sizes = [this.lengthOf(path, flat, 0), this.lengthOf(path, flat, 1), this.g.ints([heads, width])];
      const shape = this.op(path, 'Concat', sizes, { axis: 0 });
      return this.op(path, 'Transpose', [this.op(path, 'Reshape', [flat, shape])], { perm });
    };
    const query = split('query', [0, 2, 1, 3]);
    const key = split('key', [0, 2, 3, 1]);
    const value = split('value', [0, 2, 1, 3]);
    const scores = this.op(path, 'MatMul', [query, key]);
    const scaled = this.op(path, 'Div', [scores, this.g.scalar(Math.sqrt(width), DType.float)]);
    const shares = this.op(path, 'Softmax', [this.op(path, 'Add', [scaled, bias])], { axis: -1 });
    const mixed = this.op(path, 'Transpose', [this.op(path, 'MatMul', [shares, value])], {
      perm: [0, 2, 1, 3],
    });
    const sizes = [this.lengthOf(path, mixed, 0), this.lengthOf(path, mixed, 1), this.g.ints([hidden])];
    return this.op(path, 'Reshape', [mixed, this.op(path, 'Concat', sizes, { axis: 0 })]);
  }

  private gelu(path: string, x: string): string {
    const float = (v: number) => this.g.scalar(v, DType.float);
    const erf = this.op(path, 'Erf', [this.op(path, 'Div', [x, float(Math.SQRT2)])]);
    const twice = this.op(path, 'Mul', [x, this.op(path, 'Add', [erf, float(1)])]);
    return this.op(path, 'Mul', [twice, float(0.5)]);
  }

  private linear(path: string, x: string, inputs: number, outputs: number): string {
    const weight = this.random(`onnx::MatMul_${this.weights}`, [inputs, outputs]);
    const product = this.op(path, 'MatMul', [x, weight]);
    return this.op(path, 'Add', [this.random(`${path}.bias`, [outputs]), product]);
  }

  private norm(path: string, x: string, output?: string): string {
    const { hidden } = this.size;
    const scale = this.random(`${path}.weight`, [hidden], 1);
    const shift = this.random(`${path}.bias`, [hidden]);
    const attributes = { axis: -1, epsilon: { float: EPSILON } };
    return this.op(path, 'LayerNormalization', [x, scale, shift], attributes, output);
  }

  /** A dimension of a tensor as a one-element vector, as exporters read it. */
  private lengthOf(path: string, x: string, axis: number): string {
    const one = this.op(path, 'Gather', [
      this.op(path, 'Shape', [x]),
      this.g.constant(DType.int64, [], [axis]),
    ]);
    return this.op(path, 'Unsqueeze', [one, this.g.ints([0])]);
  }

  private random(name: string, dims: number[], mean = 0): string {
    const index = this.weights++;
    const data = new Float32Array(elementCount(dims));
    // A short cycle of normals: drawing a hundred million takes minutes, and the values do not affect speed.
    const cycle = normals();
    for (let i = 0, at = index * 7919; i < data.length; i++, at++)
      data[i] = mean + STD * cycle[at % cycle.length];
    return this.g.addInitializer({ name, dtype: DType.float, dims, data: new Uint8Array(data.buffer) });
  }

  private op(
    path: string,
    opType: string,
    inputs: string[],
    attributes: Parameters<GraphBuilder['op']>[2] = {},
    output?: string,
  ): string {
    const scope = path ? `/${path.replaceAll('.', '/').replace(/layer\/(\d+)/, 'layer.$1')}` : '';
    const nth = (this.scopes.get(`${scope}/${opType}`) ?? -1) + 1;
    this.scopes.set(`${scope}/${opType}`, nth);
    const name = nth ? `${scope}/${opType}_${nth}` : `${scope}/${opType}`;
    return this.g.op(opType, inputs, attributes, { name, outputs: [output ?? `${name}_output_0`] });
  }

  private readonly scopes = new Map<string, number>();
}

const CYCLE = 1_000_003;
let cached: Float32Array | undefined;
const normals = (): Float32Array =>
  (cached ??= Float32Array.from({ length: CYCLE }, (_, i) => normal(1, 0, i)));
