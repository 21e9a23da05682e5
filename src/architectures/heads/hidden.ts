import { DType } from '../../graph/dtype';
import { activationOf } from '../blocks/activation';
import { layerNorm, linear } from '../blocks/layers';
import type { Network } from '../blocks/network';
import type { Config } from '../folder/config';
import { attentionPooling } from './attention-pooling';

/** A tensor whose last axis has so many features. */
export interface Features {
  x: string;
  size: number;
}

/** The inputs of a task model's head. */
export interface Hidden {
  net: Network;
  config: Config;
  /** `model_type`. */
  type: string;
  /** (batch, sequence, size). */
  states: string;
  size: number;
  /** The pooler's output (batch, size), if the folder has one. */
  pooled?: Features;
}

/** The last layer of a head, which gives the logits, and its input: (batch, size), or the states of all tokens. */
export interface LastLayer extends Features {
  module: string;
  bias: boolean;
}

/** Undefined if the folder does not have its weights. */
export type LabelHead = (hidden: Hidden) => LastLayer | undefined;

/** (batch, size). A slice, not a gather: its gradient is a padding, not a scatter. */
export const tokenAt = (hidden: Hidden, index: number): string =>
  hidden.net.op('', 'Squeeze', [tokens(hidden, index, index + 1), hidden.net.g.ints([1])]);

export const firstToken = (hidden: Hidden): string => tokenAt(hidden, 0);

/** The mean of the tokens from one on: (batch, size). */
export const meanFrom = (hidden: Hidden, first: number): string => {
  const { net, states } = hidden;
  const some = first === 0 ? states : tokens(hidden, first, 2 ** 31 - 1);
  return net.op('', 'ReduceMean', [some, net.g.ints([1])], { keepdims: 0 });
};

/** The mean of the tokens that a mask of integers counts: (batch, size). */
export function meanOfCounted({ net, states }: Hidden, mask: string): string {
  const counted = net.op('head', 'Cast', [mask], { to: DType.float });
  const column = net.op('head', 'Unsqueeze', [counted, net.g.ints([2])]);
  const along = (x: string) => net.op('head', 'ReduceSum', [x, net.g.ints([1])], { keepdims: 0 });
  return net.op('head', 'Div', [along(net.op('head', 'Mul', [states, column])), along(column)]);
}

/** Some of the tokens: (batch, tokens, size). */
const tokens = ({ net, states }: Hidden, from: number, to: number): string =>
  net.op('', 'Slice', [states, net.g.ints([from]), net.g.ints([to]), net.g.ints([1])]);

/** A linear layer of a head, under its name in the task model, to as many features as it has. */
export function headLinear(
  { net }: Hidden,
  module: string,
  { x, size: from }: Features,
  bias = true,
): Features {
  const [size] = net.weights.dims(`${module}.weight`, true)!;
  return { x: linear(net, module, x, { from, to: size, bias, fromTop: true }), size };
}

/** True if the folder has the weights and biases of these modules of a head: files may hold parts of another one. */
export const has = (hidden: Hidden, ...modules: string[]): boolean =>
  modules.every((module) => hasParts(hidden, module, true));

/** True if the folder has the weight of one module, and its bias if a setting asks for one. */
export const hasParts = ({ net }: Hidden, module: string, bias: boolean): boolean =>
  net.weights.has(`${module}.weight`, true) && (!bias || net.weights.has(`${module}.bias`, true));

/** The base model's own output for a whole text or image, (batch, size). */
export type Pooler = (hidden: Hidden) => Features | undefined;

/** A linear layer and tanh on the first token, as BertPooler. */
const dense =
  (module: string): Pooler =>
  (hidden) => {
    const { net, config, size: from } = hidden;
    const parts = ['weight', 'bias'].map((part) => net.weights.dims(`${module}.${part}`));
    if (!parts.every((dims) => dims !== undefined)) return undefined;
    const [[size]] = parts;
    // A setting of models of images, and of no other.
    const act = activationOf(config, 'pooler_act', 'tanh');
    return { x: act(net, 'pooler', linear(net, module, firstToken(hidden), { from, to: size })), size };
  };

/** The norm of one vector for each text or image. */
const normed =
  (module: string, epsilon: number, read: (hidden: Hidden) => string): Pooler =>
  (hidden) => {
    const { net, config, size } = hidden;
    if (!['weight', 'bias'].every((part) => net.weights.has(`${module}.${part}`))) return undefined;
    return {
      x: layerNorm(net, module, read(hidden), size, config.number('layer_norm_eps', epsilon)),
      size,
    };
  };

/** BeitPooler: the norm of the mean of all patches. Otherwise it is the first token. */
const ofPatches = normed('pooler.layernorm', 1e-12, (hidden) => meanFrom(hidden, 1));
const beit: Pooler = (hidden) =>
  hidden.config.flag('use_mean_pooling', true) ? ofPatches(hidden) : undefined;

/** ConvNextModel: the norm of the mean of all places. */
const ofPlaces = normed('layernorm', 1e-12, (hidden) => meanFrom(hidden, 0));

const onFirst = dense('pooler.dense');

/** MobileBertPooler, which has no weights without `classifier_activation`. */
const mobilebert: Pooler = (hidden) =>
  hidden.config.flag('classifier_activation', true)
    ? onFirst(hidden)
    : { x: firstToken(hidden), size: hidden.size };

const POOLERS: ReadonlyMap<string, Pooler> = new Map([
  ['bert', onFirst],
  ['roberta', onFirst],
  ['xlm-roberta', onFirst],
  ['camembert', onFirst],
  ['mpnet', onFirst],
  ['albert', dense('pooler')],
  ['nomic_bert', onFirst],
  ['ernie', onFirst],
  ['rembert', onFirst],
  ['megatron-bert', onFirst],
  ['mobilebert', mobilebert],
  ['xlm-roberta-xl', onFirst],
  ['data2vec-text', onFirst],
  ['vit', onFirst],
  ['deit', onFirst],
  ['clip_vision_model', normed('vision_model.post_layernorm', 1e-5, firstToken)],
  ['siglip_vision_model', attentionPooling()],
  ['siglip2_vision_model', attentionPooling('pixel_attention_mask')],
  ['beit', beit],
  ['data2vec-vision', beit],
  ['convnext', ofPlaces],
  ['convnextv2', ofPlaces],
]);

/** Undefined if the family has no pooler, or the folder not its weights. */
export const pooler: Pooler = (hidden) => POOLERS.get(hidden.type)?.(hidden);
