import type { Rewrite } from '../rewrite';
import { requireKnown } from './parts/refuse';

/** The first half of the features of X + bias, times the exact GELU of the second. */
export const biasSplitGelu: Rewrite = (node, c) => {
  requireKnown(node, { inputs: ['X', 'bias'] });
  const { g } = c;
  const sum = g.op('Add', [node.inputs[0], node.inputs[1]]);
  const [first, second] = g.ops('Split', [sum], { axis: -1, num_outputs: 2 }, { outputs: 2 });
  c.replace(node, 'Mul', [first, g.op('Gelu', [second])]);
};
