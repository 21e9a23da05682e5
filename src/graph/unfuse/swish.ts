import { attrFloat } from '../attributes';
import type { Rewrite } from '../rewrite';
import { requireKnown } from './parts/refuse';

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
