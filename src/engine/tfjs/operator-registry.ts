import { AuroraError } from '../../base/errors';
import type { Node } from '../../graph/model';
import { describeNode } from './context';
import { preferHost } from './host/elementwise';
import type { Op } from './op';
import { activations, softmax } from './ops/activations';
import { arithmetic, cast, comparisons } from './ops/arithmetic';
import { convolutions, pools } from './ops/convolution-and-pooling';
import { gathers, scatters } from './ops/gather-and-scatter';
import { einsum, matmul } from './ops/matmul';
import { normalization } from './ops/normalization';
import { ordered, reductions } from './ops/reduce';
import { resizes } from './ops/resize';
import { shapes } from './ops/shape';
import { slices } from './ops/slices';
import { views } from './ops/views';

const OPS = preferHost({
  ...activations,
  ...arithmetic,
  ...cast,
  ...comparisons,
  ...convolutions,
  ...einsum,
  ...gathers,
  ...matmul,
  ...normalization,
  ...ordered,
  ...pools,
  ...reductions,
  ...resizes,
  ...scatters,
  ...shapes,
  ...slices,
  ...softmax,
  ...views,
});

/** The operators of all nodes. @throws AuroraError 'operator' naming the first unsupported one */
export function operatorsOf(nodes: readonly Node[]): Map<Node, Op> {
  const ops = new Map<Node, Op>();
  for (const node of nodes) {
    const op = node.domain === '' && Object.hasOwn(OPS, node.opType) ? OPS[node.opType] : undefined;
    if (!op)
      throw new AuroraError(
        'operator',
        `The TensorFlow.js engine does not support the operator ${node.domain ? `${node.domain}.` : ''}${node.opType} of ${describeNode(node)}.`,
        'Use the ONNX Runtime engine for this model.',
      );
    ops.set(node, op);
  }
  return ops;
}
