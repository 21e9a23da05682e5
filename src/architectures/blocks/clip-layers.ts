import type { Config } from '../folder/config';
import type { EncoderSize } from '../settings';
import { activationOf } from './activation';
import type { AttentionShape } from './attention';
import { preNormLayer } from './encoder-layer';
import type { Network } from './network';

/** The sizes of the layers, and the activation of a config.json that names none. */
export interface ClipLayers {
  size: EncoderSize;
  shape: AttentionShape;
  act: string;
}

/**
 * The layers of CLIP's and SigLIP's models of texts and images: x (tokens, hidden) to the same.
 *
 * @param module the module that they are in
 * @param before is given the input of each of them
 */
export function clipLayers(
  net: Network,
  config: Config,
  module: string,
  embedded: string,
  { size: { hidden, inner, layers, epsilon }, shape, act: missing }: ClipLayers,
  before: (i: number, x: string) => void = () => undefined,
): string {
  const act = activationOf(config, 'hidden_act', missing);
  let x = embedded;
  for (let i = 0; i < layers; i++) {
    before(i, x);
    x = preNormLayer(net, x, modulesOf(`${module}.layers.${i}`), {
      size: { hidden, inner, epsilon },
      shape,
      act,
    });
  }
  return x;
}

const modulesOf = (at: string) => ({
  attention: `${at}.self_attn`,
  query: `${at}.self_attn.q_proj`,
  key: `${at}.self_attn.k_proj`,
  value: `${at}.self_attn.v_proj`,
  output: `${at}.self_attn.out_proj`,
  attentionNorm: `${at}.layer_norm1`,
  up: `${at}.mlp.fc1`,
  activation: `${at}.mlp.activation_fn`,
  down: `${at}.mlp.fc2`,
  norm: `${at}.layer_norm2`,
});
