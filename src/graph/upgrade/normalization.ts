import { AuroraError } from '../../base/errors';
import { attrFloat, attrInt } from '../attributes';
import { DType } from '../dtype';
import { takeAttribute, type Rewrite } from '../rewrite';

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
    const { g } = c;
    const [x, scale, bias] = node.inputs;
    const type = c.declared.floatType(x);
    const stash = opset >= 21 ? attrInt(node, 'stash_type', DType.float) : type;
    const groups = g.ints([0, attrInt(node, 'num_groups', 1), -1]);
    const cast = (name: string, to: number) => (stash === type ? name : g.op('Cast', [name], { to }));
    const rows = g.op('Reshape', [cast(x, stash), groups]);
    const last = g.ints([2]);
    const centered = g.op('Sub', [rows, g.op('ReduceMean', [rows, last])]);
    const variance = g.op('ReduceMean', [g.op('Mul', [centered, centered]), last]);
    const epsilon = g.scalar(attrFloat(node, 'epsilon', 1e-5), stash);
    const deviation = g.op('Sqrt', [g.op('Add', [variance, epsilon])]);
    let y = cast(g.op('Div', [centered, deviation]), type);
    if (opset >= 21)
      y = g.op('Reshape', [
        y,
        g.op('Concat', [g.ints([0]), g.op('Shape', [scale]), g.ints([-1])], { axis: 0 }),
      ]);
    const column = g.ints([1]);
    y = g.op('Mul', [y, g.op('Unsqueeze', [scale, column])]);
    y = g.op('Add', [y, g.op('Unsqueeze', [bias, column])]);
    c.replace(node, 'Reshape', [y, g.op('Shape', [x])], { allowzero: 1 });
  };
