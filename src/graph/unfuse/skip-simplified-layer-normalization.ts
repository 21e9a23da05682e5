import { attrFloat } from '../attributes';
import type { Rewrite } from '../rewrite';
import { requireKnown } from './parts/refuse';
import { rms } from './parts/rms';
import { SKIP_EPSILON, skipSum } from './parts/skip-sum';

const INPUTS = ['input', 'skip', 'gamma', 'bias'];
const OUTPUTS = ['output', '(mean)', 'inv_std_var', 'input_skip_bias_sum'];

/** Root-mean-square normalization of input + skip + bias, times gamma; the fourth output is the sum. */
export const skipSimplifiedLayerNormalization: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ['epsilon'], inputs: INPUTS, outputs: OUTPUTS });
  const [input, skip, gamma, bias] = node.inputs;
  const [y, , inverse, sum] = node.outputs;
  const x = skipSum(c, input, skip, bias, sum);
  rms(c, node, x, gamma, [-1], attrFloat(node, 'epsilon', SKIP_EPSILON), y, inverse);
};
