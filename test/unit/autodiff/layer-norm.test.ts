import { describe, expect, it } from 'vitest';
import { DType } from '../../../src/graph/dtype';
import type { Node } from '../../../src/graph/model';
import { checkGradients, differentiated } from './check';
import type { Problem } from './problem';

/** LayerNormalization with the scale and bias of a frozen model, as constants. */
const frozen = (scale: number[], bias: number[] | undefined, dtype: number = DType.double): Problem => ({
  inputs: { x: { shape: ['a', 'b', scale.length], dtype } },
  build: (g) => {
    const constant = (values: number[]) => g.constant(dtype, [values.length], values);
    const inputs = ['x', constant(scale), ...(bias ? [constant(bias)] : [])];
    return [g.op('LayerNormalization', inputs, { axis: -1, epsilon: { float: 0.01 } })];
  },
  open: ['a', 'b'],
});

/** The backward nodes that read a forward tensor. */
const readers = (nodes: Node[], tensor: string) =>
  nodes.filter((n) => n.opType !== 'LayerNormalization' && n.inputs.includes(tensor));

describe('LayerNormalization with constant scale and bias', () => {
  it('recovers the normalized input from the output and does not keep x', async () => {
    const scale = [0.8, -1.2, 0.3, 2];
    for (const bias of [[0.1, -0.5, 2, 0], undefined]) {
      await checkGradients(frozen(scale, bias), 5);
      const { backward, outputs } = await differentiated(frozen(scale, bias, DType.float));
      expect(readers(backward.graph.nodes, 'x')).toEqual([]);
      expect(readers(backward.graph.nodes, outputs[0])).not.toEqual([]);
    }
  });

  it.each([
    ['a scale of zero', [0.8, 0, 0.3, 2], [0.1, -0.5, 2, 0]],
    ['a bias so large that rounding would hide the rest', [0.8, -1.2, 0.01, 2], [0.1, -0.5, 3, 0]],
  ])('recomputes it from x with %s', async (_, scale, bias) => {
    await checkGradients(frozen(scale, bias), 6);
    const { backward, outputs } = await differentiated(frozen(scale, bias, DType.float));
    expect(readers(backward.graph.nodes, 'x')).not.toEqual([]);
    expect(readers(backward.graph.nodes, outputs[0])).toEqual([]);
  });
});
