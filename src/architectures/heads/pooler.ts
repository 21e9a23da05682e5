import { activationOf } from '../blocks/activation';
import { layerNorm, linear } from '../blocks/layers';
import { firstToken, type Features, type Hidden } from './hidden';

/** The base model's own output for a whole text or image, (batch, size). */
type Pooler = (hidden: Hidden) => Features | undefined;

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

/** CLIPVisionModel: the norm of the first token. */
const normed: Pooler = (hidden) => {
  const { net, config, size } = hidden;
  const module = 'vision_model.post_layernorm';
  if (!['weight', 'bias'].every((part) => net.weights.has(`${module}.${part}`))) return undefined;
  const epsilon = config.number('layer_norm_eps', 1e-5);
  return { x: layerNorm(net, module, firstToken(hidden), size, epsilon), size };
};

const onFirst = dense('pooler.dense');

const POOLERS: ReadonlyMap<string, Pooler> = new Map([
  ['bert', onFirst],
  ['roberta', onFirst],
  ['xlm-roberta', onFirst],
  ['camembert', onFirst],
  ['mpnet', onFirst],
  ['albert', dense('pooler')],
  ['vit', onFirst],
  ['deit', onFirst],
  ['clip_vision_model', normed],
]);

/** Undefined if the family has no pooler, or the folder not its weights. */
export const pooler: Pooler = (hidden) => POOLERS.get(hidden.type)?.(hidden);
