import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { AttributeLike } from '../../../src/graph/attributes';
import type { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { unfuse } from '../../../src/graph/unfuse/unfuse';
import { checkGradients, modelOf } from './check';
import type { Case, Input, Problem } from './problem';

/** Emits a fused operator and replaces it. */
function plain(
  g: GraphBuilder,
  op: string,
  inputs: string[],
  attributes: Record<string, AttributeLike>,
): string {
  const y = g.op(op, inputs, attributes, { domain: 'com.microsoft' });
  const { graph } = unfuse(modelOf(g.graph));
  g.graph.nodes.splice(0, g.graph.nodes.length, ...graph.nodes);
  for (const t of graph.initializers.values()) g.addInitializer(t);
  return y;
}

const floats = (...shape: (string | number)[]): Input => ({ shape });
const table = (...shape: number[]): Input => ({ shape, frozen: true });
const lengths: Input = { shape: ['a'], dtype: DType.int32, range: [0, 4] };

/** Batch a and tokens c are open. */
const open = (inputs: Problem['inputs'], build: Problem['build']): Problem => ({
  inputs,
  build,
  open: ['a', 'c'],
});

const attention: Case = fc.record({ causal: fc.nat(1), masked: fc.boolean() }).map(({ causal, masked }) =>
  open(
    {
      x: floats('a', 'c', 3),
      weights: floats(3, 14),
      bias: floats(14),
      ...(masked && { mask: lengths }),
      added: floats(1, 2, 'c', 'c'),
    },
    (g) => [
      plain(g, 'Attention', ['x', 'weights', 'bias', masked ? 'mask' : '', '', 'added'], {
        num_heads: 2,
        qkv_hidden_sizes: [4, 4, 6],
        unidirectional: causal,
        mask_filter_value: { float: -3 },
      }),
    ],
  ),
);

const multiHeadAttention: Case = fc.boolean().map((packed) =>
  open(
    packed
      ? { query: floats('a', 'c', 2, 3, 2), bias: floats(12), mask: lengths }
      : {
          query: floats('a', 'c', 4),
          key: floats('a', 5, 4),
          value: floats('a', 5, 6),
          bias: floats(14),
          mask: lengths,
        },
    (g) => {
      const [key, value] = packed ? ['', ''] : ['key', 'value'];
      return [
        plain(g, 'MultiHeadAttention', ['query', key, value, 'bias', 'mask'], {
          num_heads: 2,
          scale: { float: 0.6 },
          mask_filter_value: { float: -3 },
        }),
      ];
    },
  ),
);

const groupQueryAttention: Case = fc
  .record({
    packed: fc.boolean(),
    interleaved: fc.nat(1),
    window: fc.constantFrom(-1, 2),
    sink: fc.boolean(),
  })
  .map(({ packed, interleaved, window, sink }) =>
    open(
      {
        ...(packed
          ? { query: floats('a', 'c', 6 * 8) }
          : { query: floats('a', 'c', 4 * 8), key: floats('a', 'c', 8), value: floats('a', 'c', 8) }),
        ...(sink && { sink: floats(4) }),
        // Padding that sees nothing has a gradient, as in PyTorch, although its output does not change.
        lengths: window > 0 ? { ...lengths, range: [5, 6] } : lengths,
        total: { shape: [1], dtype: DType.int32, range: [5, 6] },
      },
      (g) => {
        const tables = [0, 1].map((i) => {
          const values = Array.from({ length: 16 * 2 }, (_, at) => Math.cos(at * (i + 1)));
          return g.constant(DType.double, [16, 2], values);
        });
        const three = packed ? ['query', '', ''] : ['query', 'key', 'value'];
        const more = sink ? ['', '', 'sink'] : [];
        return [
          plain(g, 'GroupQueryAttention', [...three, '', '', 'lengths', 'total', ...tables, ...more], {
            num_heads: 4,
            kv_num_heads: 1,
            do_rotary: 1,
            rotary_interleaved: interleaved,
            local_window_size: window,
            softcap: { float: 0.9 },
          }),
        ];
      },
    ),
  );

const rotaryEmbedding: Case = fc
  .record({ interleaved: fc.nat(1), partial: fc.boolean() })
  .map(({ interleaved, partial }) =>
    open(
      {
        x: floats('a', 'c', 12),
        places: { shape: ['a', 'c'], dtype: DType.int64, range: [0, 5] },
        cos: table(5, partial ? 2 : 3),
      },
      (g) => {
        const half = partial ? 2 : 3;
        const sin = g.constant(
          DType.double,
          [5, half],
          Array.from({ length: 5 * half }, (_, i) => Math.sin(i)),
        );
        const attributes = { interleaved, num_heads: 2, rotary_embedding_dim: 2 * half };
        return [plain(g, 'RotaryEmbedding', ['x', 'places', 'cos', sin], attributes)];
      },
    ),
  );

const CASES = {
  Attention: attention,
  MultiHeadAttention: multiHeadAttention,
  GroupQueryAttention: groupQueryAttention,
  RotaryEmbedding: rotaryEmbedding,
};

describe('gradients through fused operators agree with finite differences', () => {
  it.each(Object.entries<Case>(CASES))('%s', async (_operator, arbitrary) => {
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.nat(), (problem, seed) => checkGradients(problem, seed)),
      { numRuns: 6, seed: 1 },
    );
  });
});
