import { attrInts, attrString } from './attributes';
import type { Node } from './model';

/**
 * True if a pooling leaves out the beginning of an axis: with margins that it chooses itself and windows further apart
 * than they are long, ONNX Runtime (1.30) has margins below zero, other engines none.
 */
export const cropsInput = (node: Node): boolean => {
  const kernel = attrInts(node, 'kernel_shape') ?? [];
  const strides = attrInts(node, 'strides') ?? [];
  return attrString(node, 'auto_pad', '').startsWith('SAME') && strides.some((s, i) => s > kernel[i]);
};
