import type { Rewrite } from '../rewrite';
import { requireKnown } from './parts/refuse';

/** Gelu, BiasGelu (exact, of x + bias) and FastGelu (the tanh approximation, with an optional bias). */
export const gelu =
  (approximate: 'none' | 'tanh'): Rewrite =>
  (node, c) => {
    requireKnown(node, { inputs: ['X', 'bias'] });
    const [x, bias] = node.inputs;
    c.replace(node, 'Gelu', [bias ? c.g.op('Add', [x, bias]) : x], { approximate });
  };
