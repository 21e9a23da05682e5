import { attrFloat } from '../attributes';
import type { Rewrite } from '../rewrite';

/** Gelu, BiasGelu (exact, of x + bias) and FastGelu (the tanh approximation, with an optional bias). */
export const gelu =
  (approximate: 'none' | 'tanh'): Rewrite =>
  (node, c) => {
    const [x, bias] = node.inputs;
    c.replace(node, 'Gelu', [bias ? c.g.op('Add', [x, bias]) : x], { approximate });
  };

/** x · sigmoid(alpha · x). */
export const quickGelu: Rewrite = (node, c) => {
  const [x] = node.inputs;
  const alpha = attrFloat(node, 'alpha', 1.702);
  const scaled = c.g.op('Mul', [x, c.g.scalar(alpha, c.declared.floatType(x))]);
  c.replace(node, 'Mul', [x, c.g.op('Sigmoid', [scaled])]);
};
