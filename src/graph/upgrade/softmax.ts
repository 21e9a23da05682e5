import { attrInt } from '../attributes';
import { setAttribute, type Rewrite } from '../rewrite';

/**
 * Softmax, LogSoftmax and Hardmax before opset 13 flattened the input to a matrix at `axis` (default 1), and so covered
 * all axes from there on; since then, one axis. The two agree on the last axis.
 */
export const softmax: Rewrite = (node, c) => {
  const [x] = node.inputs;
  const axis = attrInt(node, 'axis', 1);
  const rank = c.declared.rank(x);
  setAttribute(node, 'axis', -1);
  if (axis === -1 || axis + 1 === rank) {
    c.emit(node);
    return;
  }
  const [y] = node.outputs;
  const shape = c.g.op('Shape', [x]);
  node.inputs[0] = c.g.op('Flatten', [x], { axis });
  node.outputs[0] = c.g.fresh(node.opType);
  c.emit(node);
  c.produce(y, 'Reshape', [node.outputs[0], shape], { allowzero: 1 });
};
