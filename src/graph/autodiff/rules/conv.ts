import { attrInt, attrInts, attrString } from '../../attributes';
import type { Rule } from '../rule';

/**
 * To the input only: the transposed convolution with the same weight. If a stride leaves trailing rows of the input
 * unread, `output_padding` makes them 0 and needs their number.
 */
const conv: Rule = (c) => {
  if (c.needs(1) || c.needs(2)) throw c.refuse('is not supported for trained weights');
  if (!['NOTSET', 'VALID'].includes(attrString(c.node, 'auto_pad', 'NOTSET')))
    throw c.refuse('is not supported with auto_pad');
  const [x, w] = c.x;
  const kernel = c.shape(w).slice(2);
  const ones = kernel.map(() => 1);
  const strides = attrInts(c.node, 'strides') ?? ones;
  const dilations = attrInts(c.node, 'dilations') ?? ones;
  const pads = attrInts(c.node, 'pads') ?? [...ones, ...ones].map(() => 0);
  const output_padding = kernel.map((size, i) => {
    if (strides[i] === 1) return 0;
    const [to, from] = [c.shape(x)[i + 2], c.shape(c.y[0])[i + 2]];
    if (typeof to !== 'number' || typeof from !== 'number' || typeof size !== 'number')
      throw c.refuse('is not supported with strides over an open axis');
    return to - ((from - 1) * strides[i] + (size - 1) * dilations[i] + 1 - pads[i] - pads[i + kernel.length]);
  });
  const group = attrInt(c.node, 'group', 1);
  return [c.op('ConvTranspose', [c.dy[0]!, w], { strides, dilations, pads, group, output_padding })];
};

export const convolution: Record<string, Rule> = { Conv: conv };
