import { DType } from '../../graph/dtype';
import type { Config } from '../folder/config';
import type { Activation } from './activation';
import { attention, type AttentionOptions, type AttentionShape, causalBias } from './attention';
import { type HeadNorm, linear } from './layers';
import type { Network } from './network';
import type { Rope, Rotate } from './rope';
import {
  counted,
  embedding,
  flat,
  hasLanguageHead,
  HEAD,
  hiddenOutput,
  integers,
  languageHead,
  textInputs,
} from './text';

/** Sizes of a decoder. */
export interface DecoderSize {
  hidden: number;
  /** Width of the feed-forward part. */
  inner: number;
  layers: number;
  heads: number;
  keyValueHeads: number;
  /** Size of a head. */
  width: number;
  vocabulary: number;
  /** The epsilon of its norms. */
  epsilon: number;
}

/** The settings of a decoder. */
export interface DecoderFacts extends DecoderSize {
  /** The settings of its text model in config.json. */
  config: Config;
  /** The tokens that a text may have. */
  positions: number;
  /** The window of each layer; undefined for one that attends to all tokens. */
  windows: readonly (number | undefined)[];
  /** The rotary embeddings of layers without a window, or of all. */
  rope?: Rope;
  /** Those of layers with a window, if they may have others. */
  slidingRope?: Rope;
}

type Embedded = Pick<DecoderSize, 'vocabulary' | 'hidden'>;

/** The inputs that the layers of a decoder share. */
export class DecoderInputs {
  /** A vector tensor: (batch, sequence). */
  readonly rows: string;
  /** The place of each token, from 0 whatever the mask: int64 (sequence), with a cache (batch, sequence). */
  readonly places: string;
  private readonly ids: string;
  private readonly mask: string;
  private readonly past: Past | undefined;
  private readonly biases = new Map<number | undefined, string>();
  private counts: string | undefined;

  /** @throws AuroraError 'model' if tokens attend to later ones */
  constructor(
    private readonly net: Network,
    config: Config,
  ) {
    // The library reads the first for every decoder, the second for Gemma.
    config.require('is_causal', true);
    config.require('use_bidirectional_attention', false);
    ({ ids: this.ids, mask: this.mask, rows: this.rows } = textInputs(net));
    this.past = net.cached ? new Past(net, this.mask, this.rows) : undefined;
    this.places = this.past?.places ?? counted(net, this.rows);
  }

  /**
   * The tokens' rows of a table (vocabulary, hidden): (tokens, hidden).
   *
   * @param scale they are multiplied by it
   */
  embedded(module: string, { vocabulary, hidden }: Embedded, scale = 1): string {
    const x = flat(this.net, embedding(this.net, module, this.ids, vocabulary, hidden), hidden);
    return scale === 1 ? x : this.net.op(module, 'Mul', [x, this.net.float(scale)]);
  }

  /** 1 for each token, 0 for padding: float (1, tokens). */
  get real(): string {
    const flags = this.net.op('', 'Cast', [this.mask], { to: DType.float });
    return this.net.op('', 'Reshape', [flags, this.net.g.ints([1, -1])]);
  }

  /** The embedded tokens, with the rows of a table of positions (most, hidden) added. */
  placed(module: string, positions: string, { vocabulary, hidden }: Embedded, most: number): string {
    const { net, ids, places } = this;
    const tokens = embedding(net, module, ids, vocabulary, hidden);
    return flat(net, net.op('', 'Add', [tokens, embedding(net, positions, places, most, hidden)]), hidden);
  }

  /**
   * The shape of a layer's attention.
   *
   * @param window the number of tokens that are seen, the current one included; all by default
   */
  shape(
    { heads, keyValueHeads, width }: Pick<DecoderSize, 'heads' | 'keyValueHeads' | 'width'>,
    layer: number,
    window?: number,
  ): AttentionShape {
    const extend = this.past?.of(layer, keyValueHeads, width);
    return {
      heads,
      keyValueHeads,
      width,
      rows: this.rows,
      bias: this.bias(window),
      extend,
    };
  }

  /**
   * Each token's number among those that the mask counts, from 1 on, and 0 for padding: int64 (batch, keys), with a
   * cache also of earlier tokens.
   */
  get counted(): string {
    const { net, mask } = this;
    this.counts ??= net.op('', 'Mul', [net.op('', 'CumSum', [mask, net.g.scalar(1, DType.int64)]), mask]);
    return this.counts;
  }

  /** Each token's place among those that the mask counts, and 0 for padding: int64 (batch, keys). */
  get countedFromZero(): string {
    return this.net.op('', 'Sub', [this.counted, this.mask]);
  }

  /** `counted` without the tokens of a cache: int64 (batch, sequence). */
  get countedNew(): string {
    const { counted, past, net } = this;
    return past ? net.op('', 'Slice', [counted, past.from, net.g.ints([2 ** 31]), net.g.ints([1])]) : counted;
  }

  /** Each key's place relative to the last: int64 (1, keys), from 1 − keys to 0. */
  get fromEnd(): string {
    const { net, places, past } = this;
    const all = past?.slots ?? places;
    const last = net.op('', 'ReduceMax', [all], { keepdims: 1 });
    return net.op('', 'Unsqueeze', [net.op('', 'Sub', [all, last]), net.g.ints([0])]);
  }

  /**
   * The bias for tokens that attend to themselves and to those before them: (batch, 1, sequence, keys).
   *
   * @param window the number of tokens that are seen, the current one included; all by default
   */
  bias(window?: number): string {
    const { net, mask, places, past } = this;
    const found =
      this.biases.get(window) ?? causalBias(net, mask, past?.slots ?? places, window, past?.newSlots);
    this.biases.set(window, found);
    return found;
  }
}

/** The end of a decoder. */
export interface DecoderEnd {
  /** Path of the embedding, whose weight the head has too where they are tied. */
  embedding: string;
  /** Path of the head in the task model; lm_head by default. */
  head?: string;
  /** The default for config.json: true if they are tied. */
  tied: boolean;
  /** True if the head has a bias, tied or not. */
  bias?: boolean;
  /** Logits are kept below it by a tanh. */
  cap?: number;
  /** Logits are multiplied by it. */
  factor?: number;
}

/** Names the outputs of a decoder from its last hidden states (tokens, hidden), after the final norm. */
export function decoderOutputs(
  net: Network,
  config: Config,
  x: string,
  rows: string,
  { hidden, vocabulary }: Embedded,
  { embedding, head, tied: missing, bias, cap, factor }: DecoderEnd,
): void {
  const asked = config.flag('tie_word_embeddings', missing);
  // A head with other weights than the embedding's stays untied, as in transformers 5.
  const tied = asked && !net.weights.isOther(`${head ?? HEAD}.weight`, `${embedding}.weight`);
  if (hasLanguageHead(net, config, { tied, head }))
    languageHead(net, x, rows, {
      hidden,
      vocabulary,
      head,
      bias,
      cap,
      factor,
      ...(tied && { tied: `${embedding}.weight` }),
    });
  hiddenOutput(net, x, rows, hidden);
}

/** The normalization of queries and keys: each head separately, or all heads together before they are split. */
export interface QueryKeyNorm {
  norm: HeadNorm;
  of: 'head' | 'all';
  /** Names of the two modules; q_norm and k_norm by default. */
  names?: { query: string; key: string };
}

const NORMS = { query: 'q_norm', key: 'k_norm' };

export interface SelfAttention {
  size: Pick<DecoderSize, 'hidden' | 'heads' | 'keyValueHeads' | 'width'>;
  shape: AttentionShape;
  /** True for linear layers that have a bias. */
  biases: { qkv: boolean; output: boolean };
  /** The last linear layer; o_proj by default. */
  output?: string;
  /** Undefined if positions do not count. */
  rotate?: Rotate;
  norms?: QueryKeyNorm;
  /** Queries, keys and values are kept between −clip and clip. */
  clip?: number;
  scale?: number;
  cap?: number;
  /** True if each head has a sink. */
  sinks?: boolean;
}

/** Llama's attention: q_proj, k_proj, v_proj and o_proj on x (tokens, hidden), with the additions of its relatives. */
export function selfAttention(net: Network, module: string, x: string, layer: SelfAttention): string {
  const { size, shape, biases, rotate, norms, clip, scale, cap, sinks, output = 'o_proj' } = layer;
  const { hidden, heads, keyValueHeads, width } = size;
  const { query: queryNorm, key: keyNorm } = norms?.names ?? NORMS;
  const project = (name: string, count: number, norm?: string) => {
    const to = count * width;
    const y = linear(net, `${module}.${name}`, x, { from: hidden, to, bias: biases.qkv });
    const kept = clip === undefined ? y : net.op(module, 'Clip', [y, net.float(-clip), net.float(clip)]);
    return norm !== undefined && norms?.of === 'all'
      ? norms.norm(net, `${module}.${norm}`, kept, to, 1)
      : kept;
  };
  const ofHeads = (norm: string, count: number) => (y: string) =>
    norms!.norm(net, `${module}.${norm}`, y, width, count);
  const projections = {
    query: project('q_proj', heads, queryNorm),
    key: project('k_proj', keyValueHeads, keyNorm),
    value: project('v_proj', keyValueHeads),
  };
  const options: AttentionOptions = {
    ...{ scale, cap, rotate },
    ...(sinks && { sinks: net.weight(`${module}.sinks`, [heads]) }),
    ...(norms?.of === 'head' && {
      norms: { query: ofHeads(queryNorm, heads), key: ofHeads(keyNorm, keyValueHeads) },
    }),
  };
  const mixed = attention(net, module, projections, shape, options);
  const back = { from: heads * width, to: hidden, bias: biases.output };
  return linear(net, `${module}.${output}`, mixed, back);
}

/** The linear layers of a feed-forward part. */
export interface FeedForward {
  up: string;
  down: string;
  /** True if both have a bias; the default. */
  bias?: boolean;
}

/** The names of Megatron-LM, which many families keep. */
export const MEGATRON = { up: 'dense_h_to_4h', down: 'dense_4h_to_h' };

/** GPT-2's feed-forward part on x (tokens, hidden): down(act(up(x))). */
export function feedForward(
  net: Network,
  module: string,
  x: string,
  { hidden, inner }: Pick<DecoderSize, 'hidden' | 'inner'>,
  act: Activation,
  { up, down, bias = true }: FeedForward,
): string {
  const wide = linear(net, `${module}.${up}`, x, { from: hidden, to: inner, bias });
  return linear(net, `${module}.${down}`, act(net, `${module}.act`, wide), { from: inner, to: hidden, bias });
}

/** Llama's feed-forward part on x (tokens, hidden): down_proj(act(gate_proj(x)) · up_proj(x)). */
export function gated(
  net: Network,
  module: string,
  x: string,
  { hidden, inner }: Pick<DecoderSize, 'hidden' | 'inner'>,
  act: Activation,
  bias = false,
): string {
  const up = { from: hidden, to: inner, bias };
  const gate = act(net, `${module}.act_fn`, linear(net, `${module}.gate_proj`, x, up));
  const product = net.op(module, 'Mul', [gate, linear(net, `${module}.up_proj`, x, up)]);
  return linear(net, `${module}.down_proj`, product, { from: inner, to: hidden, bias });
}

/**
 * The inputs and outputs of a key/value cache, with Optimum's names: position_ids, and for each layer the keys and values of
 * earlier tokens. The mask is that of earlier and new tokens.
 */
class Past {
  /** int64 (batch, sequence): of new tokens. */
  readonly places: string;
  /** The slots of earlier and new tokens, which do not depend on their places: int64 (slots). */
  readonly slots: string;
  /** The slots of new tokens: int64 (sequence). */
  readonly newSlots: string;
  /** Where these begin, counted from the end: a vector tensor, (−sequence). */
  readonly from: string;

  /**
   * @param mask int64 (batch, slots)
   * @param rows a vector tensor: (batch, sequence)
   */
  constructor(
    private readonly net: Network,
    mask: string,
    rows: string,
  ) {
    this.places = integers(net, 'position_ids');
    this.slots = counted(net, net.op('', 'Shape', [mask]));
    const length = net.op('', 'Slice', [rows, net.g.ints([1]), net.g.ints([2])]);
    this.from = net.op('', 'Neg', [length]);
    this.newSlots = net.op('', 'Slice', [this.slots, this.from, net.g.ints([2 ** 31]), net.g.ints([0])]);
  }

  /**
   * A function that puts the keys and values of earlier tokens in front of a layer's, and names them all as outputs.
   */
  of(layer: number, heads: number, width: number): NonNullable<AttentionShape['extend']> {
    const { net } = this;
    return (x, what) => {
      const past = net.g.addInput(`past_key_values.${layer}.${what}`, DType.float, [
        'batch',
        heads,
        'past_sequence',
        width,
      ]);
      const all = net.op(`cache.${layer}`, 'Concat', [past, x], { axis: 2 });
      net.output(`present.${layer}.${what}`, all, ['batch', heads, 'slots', width]);
      return all;
    };
  }
}
