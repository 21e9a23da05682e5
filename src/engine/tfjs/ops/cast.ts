import type { Tensor } from '@tensorflow/tfjs-core';
import { attrInt } from '../../../graph/attributes';
import { DType } from '../../../graph/dtype';
import type { OpContext, OpTable, Value } from '../op';
import { tfType } from '../value';

/** Types that TensorFlow.js stores the same way, such as float and float16, differ in name only. */
function castTo(c: OpContext, dtype: number): Value[] {
  const x: Tensor = c.tensor(0);
  const type = tfType(dtype);
  if (x.dtype === type) return [c.out(x, dtype)];
  return [c.out(type === 'bool' ? c.tf.notEqual(x, c.tf.scalar(0, x.dtype)) : c.tf.cast(x, type), dtype)];
}

export const cast: OpTable = {
  Cast: (c) => castTo(c, attrInt(c.node, 'to', DType.float)),
  CastLike: (c) => castTo(c, c.dtype(1)),
};
