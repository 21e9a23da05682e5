import { describe, expect, it } from 'vitest';
import { operatorsOf } from '../../../src/engine/tfjs/operator-registry';
import { differentiableOps } from '../../../src/graph/autodiff/rule-registry';
import { QUANTIZED } from '../autodiff/float32-only';
import { node } from '../graph/onnx-models';

const FLAT =
  'Shape Size ConstantOfShape Range Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor Not IsNaN IsInf ' +
  'ArgMax ArgMin Hardmax NonZero OneHot EyeLike Sign Floor Ceil Round';

describe('the TensorFlow.js engine', () => {
  it.each([...differentiableOps().filter((op) => !QUANTIZED.includes(op)), ...FLAT.split(' ')])(
    'runs %s, as every operator with a gradient rule or without gradients',
    (op) => {
      expect(() => operatorsOf([node(op, ['x'], ['y'])])).not.toThrow();
    },
  );

  it('refuses a quantized layer by name', () => {
    const layer = { ...node('MatMulNBits', ['x'], ['y']), domain: 'com.microsoft', name: '/query/MatMul_Q4' };
    expect(() => operatorsOf([layer])).toThrow(/com\.microsoft\.MatMulNBits of .*\/query\/MatMul_Q4/);
  });
});
