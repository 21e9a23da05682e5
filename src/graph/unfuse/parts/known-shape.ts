import { AuroraError } from '../../../base/errors';
import type { Node } from '../../model';
import type { RewriteContext } from '../../rewrite';

/**
 * The number of axes of a tensor that a node reads, which decides how the node is computed.
 *
 * @throws AuroraError 'model' if neither the file nor the nodes before it determine it
 */
export function knownRank(c: RewriteContext, node: Node, tensor: string): number {
  const rank = c.declared.rank(tensor);
  if (rank !== undefined) return rank;
  throw new AuroraError(
    'model',
    `The number of axes of ${tensor}, which the node ${node.name || node.outputs[0]} (${node.opType}) reads, is not known.`,
    'Run shape inference on the model (onnx.shape_inference.infer_shapes) and save it again, or use the model before ONNX Runtime optimized it.',
  );
}

const SAME = new Set(
  'Cast Identity Relu Gelu Tanh Sigmoid Neg LayerNormalization SkipLayerNormalization BiasGelu FastGelu RotaryEmbedding'.split(
    ' ',
  ),
);

/** The size of a tensor's last axis, as far as constants and the operators that lead to it determine it. */
export function lastSize(c: RewriteContext, name: string, depth = 0): number | undefined {
  const constant = c.constant(name);
  if (constant) return constant.dims.at(-1);
  const node = c.producer(name);
  if (!node || depth > 30) return undefined;
  const of = (x: string) => lastSize(c, x, depth + 1);
  const { opType, inputs } = node;
  if (SAME.has(opType)) return of(inputs[0]);
  if (opType === 'MatMul') return of(inputs[1]);
  // A bias has all features, a scalar has none.
  if (opType === 'Add' || opType === 'Mul')
    return inputs.map(of).find((size) => size !== undefined && size > 1);
  return undefined;
}
