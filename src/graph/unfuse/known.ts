import { AuroraError } from '../../base/errors';
import type { Node } from '../model';
import type { RewriteContext } from '../rewrite';

/**
 * The rank of a node's input, which its replacement depends on.
 *
 * @throws AuroraError 'model' if the model does not declare it
 */
export function rankOf(c: RewriteContext, node: Node, x: string): number {
  const rank = c.declared.rank(x);
  if (rank !== undefined) return rank;
  throw new AuroraError(
    'model',
    `The number of axes of ${x}, an input of ${node.name || node.outputs[0]} (${node.opType}), is not known.`,
    'Run shape inference on the model (onnx.shape_inference.infer_shapes) and save it again.',
  );
}
