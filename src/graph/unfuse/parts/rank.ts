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
