import { attrInt, attrInts, attrString } from '../../attributes';
import type { Rule, RuleContext } from '../rule';
import { spread, windowsOf } from './windows';

function requireFrozen(c: RuleContext): void {
  if (c.needs(1) || c.needs(2)) throw c.refuse('is not supported for trained weights');
}

/** The gradient of the input only: the transposed convolution with the same weight. */
const conv: Rule = (c) => {
  requireFrozen(c);
  const weight = c.x[1];
  const kernel = c.shape(weight).slice(2);
  if (!kernel.every((size) => typeof size === 'number')) throw c.refuse('needs a kernel of a fixed size');
  return [spread(c, c.dy[0]!, weight, windowsOf(c, kernel), attrInt(c.node, 'group', 1))];
};

/** The gradient of the input only: the convolution with the same weight. */
const convTranspose: Rule = (c) => {
  requireFrozen(c);
  if (
    !['NOTSET', 'VALID'].includes(attrString(c.node, 'auto_pad', 'NOTSET')) ||
    attrInts(c.node, 'output_shape')
  )
    throw c.refuse('is not supported with auto_pad or output_shape');
  const ones = c
    .shape(c.x[0])
    .slice(2)
    .map(() => 1);
  const strides = attrInts(c.node, 'strides') ?? ones;
  const dilations = attrInts(c.node, 'dilations') ?? ones;
  const pads = attrInts(c.node, 'pads') ?? [...ones, ...ones].map(() => 0);
  const group = attrInt(c.node, 'group', 1);
  return [c.op('Conv', [c.dy[0]!, c.x[1]], { strides, dilations, pads, group })];
};

export const convolution: Record<string, Rule> = { Conv: conv, ConvTranspose: convTranspose };
