import type { Activation } from './activation';
import { attention, type AttentionOptions, type AttentionShape, type Projections } from './attention';
import { layerNorm, linear } from './layers';
import type { Network } from './network';

/** The modules of a layer, by their roles. */
export interface LayerModules {
  /** Names the nodes of the attention, which has no weights. */
  attention: string;
  query: string;
  key: string;
  value: string;
  /** The module after the attention. */
  output: string;
  attentionNorm: string;
  up: string;
  activation: string;
  down: string;
  norm: string;
}

export interface LayerSize {
  hidden: number;
  /** Width of the feed-forward part. */
  inner: number;
  /** The epsilon of both norms. */
  epsilon: number;
}

/** The settings that all layers of an encoder share. */
export interface EncoderLayer {
  size: LayerSize;
  shape: AttentionShape;
  act: Activation;
  /** True if query, key and value have biases; the default. Or those of them that have one. */
  bias?: boolean | ProjectionBiases;
  /** True if the linear layer after the attention has a bias; the default. */
  outputBias?: boolean;
  options?: AttentionOptions;
}

export type ProjectionBiases = Readonly<Record<'query' | 'key' | 'value', boolean>>;

/**
 * A layer as in BERT, with each norm after its sum: x (tokens, hidden) to the same.
 *
 * @param mixed the input of the attention's last linear layer
 */
export const postNormLayer = (
  net: Network,
  x: string,
  names: LayerModules,
  layer: EncoderLayer,
  mixed = selfAttention(net, x, names, layer),
): string =>
  postNormParts(net, x, names, layer.size, {
    attended: linear(net, names.output, mixed, { from: layer.size.hidden, to: layer.size.hidden }),
    feed: (y) => feedForward(net, y, names, layer),
  });

/** The two parts of a layer, before their results are added to the stream. */
export interface PostNormParts {
  /** The attention's result, (tokens, hidden). */
  attended: string;
  /** The feed-forward part on (tokens, hidden). */
  feed: (y: string) => string;
}

/** A layer with each norm after its sum, around parts of any kind: x (tokens, hidden) to the same. */
export function postNormParts(
  net: Network,
  x: string,
  names: Pick<LayerModules, 'output' | 'attentionNorm' | 'down' | 'norm'>,
  { hidden, epsilon }: Pick<LayerSize, 'hidden' | 'epsilon'>,
  { attended, feed }: PostNormParts,
): string {
  const middle = net.op(parentOf(names.output), 'Add', [attended, x]);
  const y = layerNorm(net, names.attentionNorm, middle, hidden, epsilon);
  const end = net.op(parentOf(names.down), 'Add', [feed(y), y]);
  return layerNorm(net, names.norm, end, hidden, epsilon);
}

/** The differences between layers with each norm before its part. */
export interface PreNormParts {
  /** In place of two linear layers and an activation. */
  feed?: (x: string) => string;
  /** The scales of the attention's, and then the feed-forward part's, addition to the stream. */
  scales?: readonly [attention: string, feed: string];
  /** Puts the tokens in other rows for the attention, and back. */
  windows?: { into: (x: string) => string; back: (x: string) => string };
}

/** A layer as in ViT, with each norm before its part: x (tokens, hidden) to the same. */
export function preNormLayer(
  net: Network,
  x: string,
  names: LayerModules,
  layer: EncoderLayer,
  { feed = (y) => feedForward(net, y, names, layer), scales, windows }: PreNormParts = {},
): string {
  const { hidden, epsilon } = layer.size;
  const add = (module: string, part: string, to: string, i: 0 | 1) =>
    net.op(module, 'Add', [scales ? net.op(module, 'Mul', [part, scales[i]]) : part, to]);
  const before = layerNorm(net, names.attentionNorm, x, hidden, epsilon);
  const mixed = selfAttention(net, windows ? windows.into(before) : before, names, layer);
  const attended = linear(net, names.output, mixed, { from: hidden, to: hidden, bias: layer.outputBias });
  const middle = add(parentOf(names.output), windows ? windows.back(attended) : attended, x, 0);
  const after = layerNorm(net, names.norm, middle, hidden, epsilon);
  return add(parentOf(names.down), feed(after), middle, 1);
}

function selfAttention(net: Network, x: string, names: LayerModules, layer: EncoderLayer): string {
  return attention(net, names.attention, project(net, x, names, layer), layer.shape, layer.options);
}

/** Query, key and value of x. */
export function project(
  net: Network,
  x: string,
  names: Pick<LayerModules, 'query' | 'key' | 'value'>,
  { size: { hidden }, bias = true }: Pick<EncoderLayer, 'size' | 'bias'>,
): Projections {
  const of = (part: 'query' | 'key' | 'value') =>
    linear(net, names[part], x, {
      from: hidden,
      to: hidden,
      bias: typeof bias === 'boolean' ? bias : bias[part],
    });
  return { query: of('query'), key: of('key'), value: of('value') };
}

function feedForward(net: Network, x: string, names: LayerModules, { size, act }: EncoderLayer): string {
  const { hidden, inner } = size;
  const wide = linear(net, names.up, x, { from: hidden, to: inner });
  return linear(net, names.down, act(net, names.activation, wide), { from: inner, to: hidden });
}

const parentOf = (module: string): string => module.slice(0, module.lastIndexOf('.'));
