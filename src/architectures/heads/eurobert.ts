import { GELU } from '../blocks/activation';
import {
  type Features,
  firstToken,
  has,
  headLinear,
  type Hidden,
  type LabelHead,
  meanOfCounted,
} from './hidden';

/** A linear layer and GELU on (…, size). */
function dense(hidden: Hidden, read: Features): Features {
  const { x, size } = headLinear(hidden, 'dense', read);
  return { x: GELU(hidden.net, 'activation', x), size };
}

/**
 * EuroBertForSequenceClassification (modular_eurobert.py), which pools before its first layer, or takes the mean of the
 * logits (`late`): the same as the logits of the mean of what its last layer reads.
 */
export const eurobertOnTexts: LabelHead = (hidden) => {
  if (!has(hidden, 'dense', 'classifier')) return undefined;
  const { net, config, states, size } = hidden;
  const pooling = config.text('classifier_pooling', 'late');
  config.require('classifier_pooling', 'late', 'mean', 'bos');
  // The name of that setting in the model's remote code.
  config.require('clf_pooling', pooling);
  const last = { module: 'classifier', bias: true };
  if (pooling !== 'late') {
    const x = pooling === 'bos' ? firstToken(hidden) : meanOfCounted(hidden, 'attention_mask');
    return { ...last, ...dense(hidden, { x, size }) };
  }
  const all = dense(hidden, { x: net.op('', 'Reshape', [states, net.g.ints([-1, size])]), size });
  const rows = net.op('', 'Concat', [net.op('', 'Shape', ['input_ids']), net.g.ints([all.size])], {
    axis: 0,
  });
  const each = { ...hidden, states: net.op('', 'Reshape', [all.x, rows]) };
  return { ...last, x: meanOfCounted(each, 'attention_mask'), size: all.size };
};
