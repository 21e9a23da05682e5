import { attrFloat, attrInt } from '../attributes';
import type { Rewrite } from '../rewrite';
import { knownRank } from './parts/rank';
import { requireKnown } from './parts/refuse';
import { rms } from './parts/rms';

const ATTRIBUTES = ['axis', 'epsilon', 'stash_type'];

/** x / sqrt(mean(x²) + epsilon) · scale over the axes from `axis` on. */
export const simplifiedLayerNormalization: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ATTRIBUTES, inputs: ['X', 'scale'], outputs: ['Y', 'inv_std_var'] });
  const [x, scale] = node.inputs;
  const [y, inverse] = node.outputs;
  const axis = attrInt(node, 'axis', -1);
  // The scale has the shape of the normalized axes, so its rank gives their number if the rank of x is unknown.
  const rank = c.declared.rank(x);
  const count =
    axis < 0 ? -axis : rank !== undefined ? rank - axis : (c.declared.rank(scale) ?? knownRank(c, node, x));
  const axes = Array.from({ length: count }, (_, i) => i - count);
  rms(c, node, x, scale, axes, attrFloat(node, 'epsilon', 1e-5), y, inverse);
};
