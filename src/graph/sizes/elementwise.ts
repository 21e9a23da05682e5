import { attrInt } from '../attributes';
import { DType } from '../dtype';
import { BOOL, broadcast, like, type SizeRule } from './rule';

const table = (names: string, rule: SizeRule): Record<string, SizeRule> =>
  Object.fromEntries(names.split(' ').map((name) => [name, rule]));

const dropout: SizeRule = (c) => [{ dims: c.dims(0) }, { dims: c.dims(0), dtype: BOOL }];

/** The normalized input and, if they are asked for, mean and deviation, which keep the normalized axes with size 1. */
const layerNormalization: SizeRule = (c) => {
  const first = c.axis(-1);
  const statistics = { dims: c.dims(0).map((d, i) => (i < first ? d : 1)), dtype: DType.float };
  return [{ dims: c.dims(0) }, statistics, statistics];
};

/** Operators whose result has the shape of their inputs. */
export const elementwise: Record<string, SizeRule> = {
  ...table('Add Sub Mul Div Mod Pow Max Min Sum Mean PRelu BitShift BitwiseAnd BitwiseOr', broadcast()),
  ...table('Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor', broadcast(BOOL)),
  ...table('Not IsNaN IsInf', like(BOOL)),
  ...table(
    'Neg Abs Sign Floor Ceil Round Sqrt Reciprocal Exp Log Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh Sigmoid Erf ' +
      'Relu LeakyRelu Elu Selu Celu Gelu HardSigmoid HardSwish Mish Softplus Softsign ThresholdedRelu Shrink Clip ' +
      'Identity Softmax LogSoftmax Hardmax CumSum Trilu BatchNormalization InstanceNormalization GroupNormalization ' +
      'LpNormalization ScatterElements ScatterND',
    like(),
  ),
  Where: broadcast(undefined, 1),
  Cast: (c) => [{ dims: c.dims(0), dtype: attrInt(c.node, 'to', DType.float) }],
  CastLike: (c) => [{ dims: c.dims(0), dtype: c.input(1).dtype }],
  DequantizeLinear: (c) => [{ dims: c.dims(0), dtype: c.input(1).dtype }],
  QuantizeLinear: (c) => [{ dims: c.dims(0), dtype: c.has(2) ? c.input(2).dtype : DType.uint8 }],
  Dropout: dropout,
  LayerNormalization: layerNormalization,
};
