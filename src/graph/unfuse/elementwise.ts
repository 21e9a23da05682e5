import { attrFloat } from '../attributes';
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

/** The first half of the features of X + bias, times the exact GELU of the second. */
export const biasSplitGelu: Rewrite = (node, c) => {
  requireKnown(node, { inputs: ['X', 'bias'] });
  const { g } = c;
  const sum = g.op('Add', [node.inputs[0], node.inputs[1]]);
  const [first, second] = g.ops('Split', [sum], { axis: -1, num_outputs: 2 }, { outputs: 2 });
  c.replace(node, 'Mul', [first, g.op('Gelu', [second])]);
};

/**
 * x · sigmoid(alpha · x): Swish of ai.onnx 24, and com.microsoft's QuickGelu.
 *
 * @param usual alpha where the node has none
 */
export const swish =
  (usual: number): Rewrite =>
  (node, c) => {
    requireKnown(node, { attributes: ['alpha'], inputs: ['X'] });
    const [x] = node.inputs;
    const alpha = attrFloat(node, 'alpha', usual);
    const scaled = alpha === 1 ? x : c.g.op('Mul', [x, c.g.scalar(alpha, c.declared.floatType(x))]);
    c.replace(node, 'Mul', [x, c.g.op('Sigmoid', [scaled])]);
  };

/** X + bias + skip. */
export const biasAdd: Rewrite = (node, c) => {
  requireKnown(node, { inputs: ['X', 'bias', 'skip'] });
  const [x, bias, skip] = node.inputs;
  c.replace(node, 'Add', [c.g.op('Add', [x, bias]), skip]);
};
