import { describe, expect, it } from 'vitest';
import { DType } from '../../../src/graph/dtype';
import type { Node } from '../../../src/graph/model';
import { AuroraError } from '../../../src/base/errors';
import { checkGradients, differentiated, type Differentiated } from './check';
import type { Problem } from './problem';

/** The nodes that differentiation added. */
const emitted = (d: Differentiated): Node[] => d.backward.graph.nodes.slice(d.forward.graph.nodes.length);

const matrix = { shape: ['a', 3] };

describe('the gradient of a graph', () => {
  it('sums the contributions from all uses of a tensor', async () => {
    await checkGradients(
      {
        inputs: { x: matrix, w: { shape: [3, 3] } },
        // w is used twice, the inner tensor three times, and one output is also an inner tensor.
        build: (g) => {
          const h = g.op('Tanh', [g.op('MatMul', ['x', 'w'])]);
          const y = g.op('Mul', [h, g.op('Sigmoid', [g.op('MatMul', [h, 'w'])])]);
          return [h, y, g.op('Mul', ['x', 'x'])];
        },
        open: ['a'],
      },
      1,
    );
  });

  it('does not flow through integers and conditions', async () => {
    const p: Problem = {
      inputs: { x: { ...matrix, values: 'distinct' }, z: matrix },
      build: (g) => {
        const whole = g.op('Cast', [g.op('Cast', ['x'], { to: DType.int64 })], { to: DType.double });
        const positive = g.op('Greater', ['x', g.scalar(0, DType.double)]);
        return [g.op('Mul', [g.op('Where', [positive, 'z', whole]), 'z'])];
      },
      open: [],
    };
    const d = await differentiated(p);
    expect([...d.gradients.keys()]).toEqual(['z']);
    await checkGradients({ ...p, inputs: { ...p.inputs, x: { ...p.inputs.x, frozen: true } } }, 2);
  });

  it('does not reach below the lowest trainable tensor or into frozen weights', async () => {
    const frozen = { shape: [3, 3], frozen: true };
    const d = await differentiated({
      inputs: { x: { ...matrix, frozen: true }, w0: frozen, a: { shape: [3, 3] }, w1: frozen },
      build: (g) => {
        const below = g.op('Tanh', [g.op('MatMul', ['x', 'w0'])], {}, { outputs: ['below'] });
        return [g.op('MatMul', [g.op('MatMul', [below, 'a']), 'w1'])];
      },
      open: [],
    });
    // dY·w1ᵀ without a transposed copy of the frozen weight, then belowᵀ times the result.
    expect(emitted(d).map((n) => n.opType)).toEqual(['Gemm', 'Transpose', 'MatMul']);
    expect(emitted(d)[0].inputs).toEqual([`w ${d.outputs[0]}`, 'w1']);
    expect(emitted(d)[1].inputs).toEqual(['below']);
  });

  it('omits trainable tensors that the outputs do not depend on', async () => {
    const d = await differentiated({
      inputs: { x: matrix, unused: matrix },
      build: (g) => {
        g.op('Exp', ['unused']);
        return [g.op('Exp', ['x'])];
      },
      open: [],
    });
    expect([...d.gradients.keys()]).toEqual(['x']);
  });

  it('reads open sizes from the graph inputs, so that no activation is kept only for its shape', async () => {
    const d = await differentiated({
      inputs: { x: { shape: ['a', 'b', 4] } },
      build: (g) => [
        g.op('ReduceMean', [g.op('Tanh', [g.op('Exp', ['x'])]), g.ints([0, 1])]),
        g.op('ReduceSum', [g.op('Sin', ['x']), g.ints([1])]),
      ],
      open: ['a', 'b'],
    });
    const shapes = emitted(d).filter((n) => n.opType === 'Shape');
    expect(shapes.map((n) => n.inputs)).toEqual([['x'], ['x']]);
    expect(emitted(d).filter((n) => n.opType === 'Concat')).toHaveLength(1);
  });

  it('reuses the statistics of the forward LayerNormalization', async () => {
    const float = (shape: (number | string)[], frozen: boolean) => ({ shape, dtype: DType.float, frozen });
    const d = await differentiated({
      inputs: { x: float(['a', 4], false), scale: float([4], true) },
      build: (g) => [g.op('LayerNormalization', ['x', 'scale'])],
      open: [],
    });
    const norm = d.backward.graph.nodes.find((n) => n.opType === 'LayerNormalization')!;
    expect(norm.outputs).toHaveLength(3);
    expect(emitted(d).flatMap((n) => n.inputs)).toEqual(expect.arrayContaining(norm.outputs.slice(1)));
    expect(emitted(d).filter((n) => n.opType === 'ReduceMean')).toHaveLength(2);
  });
});

describe('what has no gradient is rejected, with the node and the operator', () => {
  const refusal = async (p: Omit<Problem, 'open'>): Promise<AuroraError> => {
    const error = await differentiated({ ...p, open: [] }).then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(AuroraError);
    expect(error).toMatchObject({ kind: 'operator' });
    return error as AuroraError;
  };

  it('lists all operators without a rule', async () => {
    const error = await refusal({
      inputs: { x: matrix },
      build: (g) => [
        g.op('ReduceProd', ['x'], {}, { name: 'first/ReduceProd' }),
        g.op('Mod', ['x', 'x'], { fmod: 1 }, { name: 'second/Mod' }),
      ],
    });
    expect(error.message).toContain('ReduceProd (node "first/ReduceProd")');
    expect(error.message).toContain('Mod (node "second/Mod")');
  });

  it.each<[string, Problem['build']]>([
    [
      'mode "reflect"',
      (g) => [g.op('Pad', ['x', g.ints([1, 0, 0, 0])], { mode: 'reflect' }, { name: 'it' })],
    ],
    ['repeats a label', (g) => [g.op('Einsum', ['x'], { equation: 'ii->i' }, { name: 'it' })]],
    [
      'trained bounds',
      (g) => [g.op('Clip', ['x', g.op('ReduceMean', ['x'], { keepdims: 0 })], {}, { name: 'it' })],
    ],
    [
      'axes that are constants',
      (g) => [g.op('ReduceSum', ['x', g.op('Identity', [g.ints([0])])], {}, { name: 'it' })],
    ],
  ])('%s', async (words, build) => {
    const { message } = await refusal({ inputs: { x: { shape: [3, 3] } }, build });
    expect(message).toContain(words);
    expect(message).toContain('node "it"');
  });
});
