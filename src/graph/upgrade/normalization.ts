import { AuroraError } from '../../base/errors';
import { attrFloat, attrInt } from '../attributes';
import { DType } from '../dtype';
import { takeAttribute, type Rewrite } from '../rewrite';
import { normalGroups } from '../unfuse/parts/groups';

/** Before opset 14, more than one output meant that the node was exported for training. */
export const batchNormalization: Rewrite = (node, c) => {
  if (node.outputs.slice(1).some((y) => y !== ''))
    throw new AuroraError(
      'model',
      `The node ${node.name || node.outputs[0]} is a BatchNormalization in training mode, which has no meaning at inference.`,
      'Export the model in evaluation mode (model.eval()).',
    );
  takeAttribute(node, 'momentum');
  node.outputs.length = 1;
  c.emit(node);
};

/**
 * GroupNormalization scaled per group in opset 18 and has scaled per channel since 21, and runtimes have withdrawn the
 * former. Both are decomposed, which also gives them gradients.
 */
export const groupNormalization =
  (opset: number): Rewrite =>
  (node, c) => {
    const [x, scale, bias] = node.inputs;
    const type = c.declared.floatType(x);
    const y = normalGroups(c, x, scale, bias, {
      groups: attrInt(node, 'num_groups', 1),
      epsilon: attrFloat(node, 'epsilon', 1e-5),
      type,
      ...(opset >= 21 ? { stash: attrInt(node, 'stash_type', DType.float) } : { perGroup: true }),
    });
    c.replace(node, 'Reshape', [y, c.g.op('Shape', [x])], { allowzero: 1 });
  };
