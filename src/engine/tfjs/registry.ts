import type { Node } from '../../graph/model';
import { AuroraError } from '../../base/errors';
import { describeNode } from './context';
import { preferHost } from './host/prefer';
import type { Op } from './op';
import { activations } from './ops/activations';
import { arithmetic } from './ops/arithmetic';
import { cast } from './ops/cast';
import { comparisons } from './ops/compare';
import { convolutions } from './ops/conv';
import { einsum } from './ops/einsum';
import { gathers } from './ops/gather';
import { matmul } from './ops/matmul';
import { normalization } from './ops/normalization';
import { ordered } from './ops/ordered';
import { pools } from './ops/pool';
import { reductions } from './ops/reduce';
import { resizes } from './ops/resize';
import { scatters } from './ops/scatter';
import { shapes } from './ops/shape';
import { slices } from './ops/slices';
import { softmax } from './ops/softmax';
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
