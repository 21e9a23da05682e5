import { describe, expect, it } from 'vitest';
import { operatorsOf } from '../../../src/engine/tfjs/registry';
import { differentiableOps } from '../../../src/graph/autodiff/registry';
import { node } from '../graph/onnx-models';

const FLAT =
  'Shape Size ConstantOfShape Range Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor Not IsNaN IsInf ' +
  'ArgMax ArgMin Hardmax NonZero OneHot EyeLike Sign Floor Ceil Round';

describe('the TensorFlow.js engine', () => {
  it.each([...differentiableOps(), ...FLAT.split(' ')])(
    'runs %s, as every operator with a gradient rule or without gradients',
    (op) => {
      expect(() => operatorsOf([node(op, ['x'], ['y'])])).not.toThrow();
    },
  );
});
