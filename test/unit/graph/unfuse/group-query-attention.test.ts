import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import { GraphBuilder } from '../../../../src/graph/builder';
import { unfuse } from '../../../../src/graph/unfuse/unfuse';
import { tensorOf } from '../../../../src/graph/values';
import { runModel } from '../onnx-models';
import { bothWays, check, floats, fused, int32, largestDifference, type Fed } from './kernel';

const cases = fc
  .record({ batch: fc.integer({ min: 1, max: 3 }), tokens: fc.integer({ min: 1, max: 6 }) })
  .chain(({ batch, tokens }) =>
    fc.record({
      batch: fc.constant(batch),
      tokens: fc.constant(tokens),
      /** Tokens of each text, padded on the right; one text has the most. */
      lengths: fc
        .array(fc.integer({ min: 1, max: tokens }), { minLength: batch, maxLength: batch })
        .map(([, ...others]) => [tokens, ...others]),
      shared: fc.integer({ min: 1, max: 2 }),
      groups: fc.integer({ min: 1, max: 3 }),
      size: fc.constantFrom(8, 16, 32),
      /** The part of each head that is rotated. */
      part: fc.constantFrom(1, 0.5),
      packed: fc.boolean(),
      rotary: fc.boolean(),
      interleaved: fc.boolean(),
      positions: fc.boolean(),
      causal: fc.constantFrom(undefined, undefined, 1, 0),
      window: fc.constantFrom(undefined, 1, 2, 3),
      softcap: fc.constantFrom(undefined, 0.7),
      sink: fc.constantFrom('none', 'smooth', 'head') as fc.Arbitrary<'none' | 'smooth' | 'head'>,
      bias: fc.constantFrom(undefined, [false, false], [false, true], [true, false], [true, true]),
      scale: fc.constantFrom(undefined, 0.4),
      seed: fc.nat(1000),
    }),
  );

type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

async function difference(c: Case): Promise<number> {
  const { batch, tokens, shared, seed } = c;
  const heads = shared * c.groups;
  // With rotary embeddings, the kernel wants multiples of 16.
  const size = c.rotary ? Math.max(16, c.size) : c.size;
  const half = size === 32 ? 16 * c.part : 8;
  const fed = (count: number, more: number) =>
    floats([batch, tokens, count * size], seed + more, { size: 2 });
  const table = (more: number): Fed => floats([9, half], seed + more, { constant: true });
  const ids = { dims: [batch, tokens], values: [], dtype: DType.int64 };
  const places = Array.from({ length: batch * tokens }, (_, i) => (i % 2 ? 5 : seed % 3));
  const biasDims = c.bias?.map((own, i) => (own ? [batch, heads][i] : 1));
  const { kernel, plain } = await bothWays({
    op: 'GroupQueryAttention',
    inputs: {
      query: c.packed ? fed(heads + 2 * shared, 0) : fed(heads, 0),
      key: c.packed ? undefined : fed(shared, 1),
      value: c.packed ? undefined : fed(shared, 2),
      past_key: undefined,
      past_value: undefined,
      seqlens_k: int32(
        [batch],
        c.lengths.map((n) => n - 1),
      ),
      total_sequence_length: int32([1], [tokens]),
      cos_cache: c.rotary ? table(3) : undefined,
      sin_cache: c.rotary ? table(4) : undefined,
      position_ids: c.rotary && c.positions ? { ...ids, values: places } : undefined,
      attention_bias: biasDims && floats([...biasDims, tokens, tokens], seed + 5),
      head_sink: c.sink === 'head' ? floats([heads], seed + 6, { constant: true }) : undefined,
    },
    attributes: {
      num_heads: heads,
      kv_num_heads: shared,
      do_rotary: c.rotary ? 1 : undefined,
      rotary_interleaved: c.interleaved ? 1 : undefined,
      causal: c.causal,
      local_window_size: c.causal === 0 ? undefined : c.window,
      // As exporters write them, with the meaning of their absence.
      ...(seed % 2 && { k_quant_type: 'NONE', v_quant_type: 'NONE', kv_cache_bit_width: 0, qk_output: 0 }),
      softcap: c.softcap === undefined ? undefined : { float: c.softcap },
      smooth_softmax: c.sink === 'smooth' ? 1 : undefined,
      scale: c.scale === undefined ? undefined : { float: c.scale },
    },
    outputs: ['y', 'keys', 'values'],
  });
  // The kernel's results for padding have no meaning.
  const row = heads * size;
  const isToken = (i: number) => Math.floor(i / row) % tokens < c.lengths[Math.floor(i / (row * tokens))]!;
  const isKey = (i: number) =>
    Math.floor(i / size) % tokens < c.lengths[Math.floor(i / (size * tokens * shared))]!;
  for (const name of ['keys', 'values'])
    expect(largestDifference(kernel, plain, name, isKey)).toBeLessThan(1e-5);
  return largestDifference(kernel, plain, 'y', isToken);
}

describe('GroupQueryAttention', () => {
  it("equals ONNX Runtime's kernel for the tokens of texts padded on the right", () =>
    check(
      cases,
      async (c) => {
        expect(await difference(c)).toBeLessThan(2e-5);
      },
      80,
    ));

  it('normalizes queries and keys, which the CPU kernel does not, as SimplifiedLayerNormalization', () =>
    check(
      fc.record({
        shared: fc.integer({ min: 1, max: 2 }),
        epsilon: fc.constantFrom(undefined, 1e-2),
        seed: fc.nat(99),
      }),
      async ({ shared, epsilon, seed }) => {
        const [batch, tokens, heads, size] = [2, 3, 2, 16];
        const table = (more: number) => floats([9, 8], seed + more, { constant: true });
        const [queryNorm, keyNorm] = [1, 2].map((more) => floats([size], seed + more, { constant: true }));
        const inputs = {
          query: floats([batch, tokens, heads * size], seed, { size: 2 }),
          key: floats([batch, tokens, shared * size], seed + 1, { size: 2 }),
          value: floats([batch, tokens, shared * size], seed + 2),
          past_key: undefined,
          past_value: undefined,
          seqlens_k: int32([batch], [tokens - 1, tokens - 1]),
          total_sequence_length: int32([1], [tokens]),
          cos_cache: table(3),
          sin_cache: table(4),
        };
        const attributes = { num_heads: heads, kv_num_heads: shared, do_rotary: 1 };
        const call = { op: 'GroupQueryAttention', inputs, attributes };
        const norms = {
          ids: undefined,
          bias: undefined,
          sink: undefined,
          k_scale: undefined,
          v_scale: undefined,
        };
        const ours = fused({
          ...call,
          inputs: { ...inputs, ...norms, q_norm_weight: queryNorm, k_norm_weight: keyNorm },
          attributes: {
            ...attributes,
            qk_norm_epsilon: epsilon === undefined ? undefined : { float: epsilon },
          },
        });
        const { model, feeds } = fused(call);
        const before = [
          ['query', queryNorm!],
          ['key', keyNorm!],
        ] as const;
        model.graph.nodes[0]!.inputs.splice(0, 2, 'query_normal', 'key_normal');
        const g = new GraphBuilder(model.graph, '/norm', []);
        for (const [name, weight] of before) {
          const parts = g.op('Reshape', [name, g.ints([0, 0, -1, size])]);
          const scale = g.addInitializer(tensorOf(`${name}_norm`, DType.float, weight.dims, weight.values));
          const normal = g.op('SimplifiedLayerNormalization', [parts, scale], {
            epsilon: { float: epsilon ?? 1e-6 },
            axis: -1,
          });
          g.op('Reshape', [normal, g.ints([0, 0, -1])], {}, { outputs: [`${name}_normal`] });
        }
        model.graph.nodes.unshift(...g.sink);
        const [kernel, plain] = [
          await runModel(model, feeds),
          await runModel(unfuse(ours.model), ours.feeds),
        ];
        expect(largestDifference(kernel, plain)).toBeLessThan(1e-5);
      },
      8,
    ));
});
