import { attrFloat } from '../attributes';
import type { Rewrite } from '../rewrite';
import { requireKnown } from './parts/refuse';
import { SKIP_EPSILON, skipSum } from './parts/skip-sum';

const INPUTS = ['input', 'skip', 'gamma', 'beta', 'bias'];
const OUTPUTS = ['output', 'mean', 'inv_std_var', 'input_skip_bias_sum'];

/** LayerNormalization(input + skip + bias) · gamma + beta; the fourth output is the sum. */
export const skipLayerNormalization: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ['epsilon'], inputs: INPUTS, outputs: OUTPUTS });
  const [input, skip, gamma, beta, bias] = node.inputs;
  const [y, mean, inverse, sum] = node.outputs;
  const x = skipSum(c, input, skip, bias, sum);
  const outputs = inverse ? [y, mean, inverse] : mean ? [y, mean] : [y];
  const attributes = { axis: -1, epsilon: { float: attrFloat(node, 'epsilon', SKIP_EPSILON) } };
  c.replace(node, 'LayerNormalization', beta ? [x, gamma, beta] : [x, gamma], attributes, outputs);
};
