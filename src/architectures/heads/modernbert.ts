import { activationOf } from '../blocks/activation';
import { layerNorm } from '../blocks/layers';
import {
  firstToken,
  has,
  hasParts,
  headLinear,
  meanOfCounted,
  type Features,
  type Hidden,
  type LabelHead,
} from './hidden';

const LAST = { module: 'classifier', bias: true };

/** ModernBertPredictionHead on rows of features: a linear layer, an activation, a norm. */
function head(hidden: Hidden, read: Features): Features {
  const { net, config } = hidden;
  const { x, size } = headLinear(hidden, 'head.dense', read, config.flag('classifier_bias', false));
  const act = activationOf(config, 'classifier_activation', 'gelu');
  const norm = { bias: config.flag('norm_bias', false), fromTop: true };
  return {
    x: layerNorm(net, 'head.norm', act(net, 'head.act', x), size, config.number('norm_eps', 1e-5), norm),
    size,
  };
}

const isThere = (hidden: Hidden): boolean =>
  hasParts(hidden, 'head.dense', hidden.config.flag('classifier_bias', false)) &&
  hasParts(hidden, 'head.norm', hidden.config.flag('norm_bias', false)) &&
  has(hidden, 'classifier');

const onTexts: LabelHead = (hidden) => {
  if (!isThere(hidden)) return undefined;
  const { config, size } = hidden;
  const pooling = config.text('classifier_pooling', 'cls');
  config.require('classifier_pooling', 'cls', 'mean');
  const x = pooling === 'cls' ? firstToken(hidden) : meanOfCounted(hidden, 'attention_mask');
  return { ...LAST, ...head(hidden, { x, size }) };
};

const onTokens: LabelHead = (hidden) => {
  if (!isThere(hidden)) return undefined;
  const { net, states, size } = hidden;
  const x = net.op('head', 'Reshape', [states, net.g.ints([-1, size])]);
  return { ...LAST, ...head(hidden, { x, size }) };
};

/** ModernBertForSequenceClassification and ModernBertForTokenClassification (modular_modernbert.py). */
export const modernbertHead = { onTexts, onTokens };
