import type { Rewrite } from '../rewrite';
import { requireKnown } from './parts/refuse';

const ATTRIBUTES = ['auto_pad', 'dilations', 'group', 'kernel_shape', 'pads', 'strides'];

/** Conv of images and weights with their channels last. */
export const nhwcConv: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ATTRIBUTES, inputs: ['X', 'W', 'B'] });
  const [x, w, bias] = node.inputs as [string, string, string?];
  const [image, kernel] = [x, w].map((t) => c.g.op('Transpose', [t], { perm: [0, 3, 1, 2] })) as [
    string,
    string,
  ];
  const product = c.g.fresh('Conv');
  const inputs = bias ? [image, kernel, bias] : [image, kernel];
  c.replace(node, 'Conv', inputs, Object.fromEntries(node.attributes), [product]);
  c.produce(node.outputs[0], 'Transpose', [product], { perm: [0, 2, 3, 1] });
};
