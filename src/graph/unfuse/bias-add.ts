import type { Rewrite } from '../rewrite';
import { requireKnown } from './parts/refuse';

/** X + bias + skip. */
export const biasAdd: Rewrite = (node, c) => {
  requireKnown(node, { inputs: ['X', 'bias', 'skip'] });
  const [x, bias, skip] = node.inputs;
  c.replace(node, 'Add', [c.g.op('Add', [x, bias]), skip]);
};
