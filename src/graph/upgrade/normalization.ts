import { AuroraError } from '../../base/errors';
import { attrFloat, attrInt } from '../attributes';
import { DType } from '../dtype';
import { takeAttribute, type Rewrite, type RewriteContext } from '../rewrite';

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

export interface Groups {
  groups: number;
  epsilon: number;
  /** Of x. */
  type: number;
  /** Which the statistics are computed in; that of x by default. */
  stash?: number;
  /** Whether scale and bias are those of groups, not of channels. */
  perGroup?: boolean;
}

/**
 * (x − mean) / sqrt(variance + epsilon) · scale + bias, over groups of channels.
 *
 * @param x (batch, channels, …)
 * @returns the same elements as (batch, groups or channels, the rest)
 */
export function normalGroups(
  c: RewriteContext,
  x: string,
  scale: string,
  bias: string,
  { groups, epsilon, type, stash = type, perGroup = false }: Groups,
): string {
  const { g } = c;
  const cast = (name: string, to: number) => (stash === type ? name : g.op('Cast', [name], { to }));
  const rows = g.op('Reshape', [cast(x, stash), g.ints([0, groups, -1])]);
  const last = g.ints([2]);
  const centered = g.op('Sub', [rows, g.op('ReduceMean', [rows, last])]);
  const variance = g.op('ReduceMean', [g.op('Mul', [centered, centered]), last]);
  const deviation = g.op('Sqrt', [g.op('Add', [variance, g.scalar(epsilon, stash)])]);
  let y = cast(g.op('Div', [centered, deviation]), type);
  if (!perGroup)
    y = g.op('Reshape', [
      y,
      g.op('Concat', [g.ints([0]), g.op('Shape', [scale]), g.ints([-1])], { axis: 0 }),
    ]);
  const column = g.ints([1]);
  y = g.op('Mul', [y, g.op('Unsqueeze', [scale, column])]);
  return g.op('Add', [y, g.op('Unsqueeze', [bias, column])]);
}
