import { describe, expect, it } from 'vitest';
import { DType } from '../../../src/graph/dtype';
import { upgradeModel } from '../../../src/graph/upgrade/upgrade';
import { tensorOf } from '../../../src/graph/values';
import { difference, input, model, node, runModel, type Attributes } from './onnx-models';
import { random } from './newer/kernel';

const { float } = DType;

describe('operators of which opsets 22 to 24 changed the types alone', () => {
  const image = [1, 2, 6, 5];
  it.each<[string, number[], Attributes]>([
    ['Reshape', [2, 6], {}],
    ['Shape', [2, 6], { start: 1 }],
    ['Size', [2, 6], {}],
    ['Identity', [2, 6], {}],
    ['Transpose', [2, 6], { perm: [1, 0] }],
    ['Flatten', [2, 3, 4], { axis: 2 }],
    ['Squeeze', [1, 3], {}],
    ['Cast', [2, 6], { to: DType.float16, saturate: 1 }],
    ['Cast', [2, 6], { to: DType.int32, round_mode: 'up' }],
    ['MaxPool', image, { kernel_shape: [2, 3], strides: [2, 1], ceil_mode: 1 }],
    ['AveragePool', image, { kernel_shape: [2, 3], pads: [1, 1, 0, 1], dilations: [2, 1] }],
    ['GlobalAveragePool', image, {}],
    ['LpPool', image, { kernel_shape: [2, 2], p: 2 }],
    ['Elu', [2, 6], { alpha: { float: 0.5 } }],
    ['HardSwish', [2, 6], {}],
    ['Softplus', [2, 6], {}],
    ['Gelu', [2, 6], { approximate: 'tanh' }],
    ['Sinh', [2, 6], {}],
    ['ReduceMax', [2, 6], { keepdims: 0 }],
    ['Dropout', [2, 6], {}],
    ['EyeLike', [3, 4], { k: 1 }],
  ])('%s', async (op, dims, attributes) => {
    const x = random(dims, 3);
    for (const opset of [22, 23, 24]) {
      // An attribute of opset 24.
      if (attributes.round_mode !== undefined && opset < 24) continue;
      const original = model({
        opset,
        inputs: [
          input(
            'x',
            float,
            dims.map((_, i) => `d${i}`),
          ),
        ],
        nodes: [node(op, op === 'Reshape' ? ['x', 's'] : ['x'], ['y'], attributes)],
        initializers: [tensorOf('s', DType.int64, [2], [-1, 4])],
        outputs: ['y'],
      });
      const [want, got] = [await runModel(original, { x }), await runModel(upgradeModel(original), { x })];
      expect(difference(want, got), `opset ${opset}`).toBeUndefined();
    }
  });
});
