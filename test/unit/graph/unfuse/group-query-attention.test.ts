import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import { bothWays, check, floats, int32, largestDifference, type Fed } from './kernel';

const cases = fc
  .record({ batch: fc.integer({ min: 1, max: 3 }), tokens: fc.integer({ min: 1, max: 6 }) })
  .chain(({ batch, tokens }) =>
    fc.record({
      batch: fc.constant(batch),
      tokens: fc.constant(tokens),
      /** Of each text, padded on the right; one has them all. */
      lengths: fc
        .array(fc.integer({ min: 1, max: tokens }), { minLength: batch, maxLength: batch })
        .map(([, ...others]) => [tokens, ...others]),
      shared: fc.integer({ min: 1, max: 2 }),
      groups: fc.integer({ min: 1, max: 3 }),
      size: fc.constantFrom(8, 16, 32),
      /** How much of each head is rotated. */
      part: fc.constantFrom(1, 0.5),
      packed: fc.boolean(),
      rotary: fc.boolean(),
      interleaved: fc.boolean(),
      positions: fc.boolean(),
      window: fc.constantFrom(undefined, 1, 2, 3),
      softcap: fc.constantFrom(undefined, 0.7),
      sink: fc.constantFrom('none', 'smooth', 'head') as fc.Arbitrary<'none' | 'smooth' | 'head'>,
      bias: fc.constantFrom('none', 'one', 'all') as fc.Arbitrary<'none' | 'one' | 'all'>,
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
  const biasDims = c.bias === 'one' ? [1, 1] : [batch, heads];
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
      attention_bias: c.bias === 'none' ? undefined : floats([...biasDims, tokens, tokens], seed + 5),
      head_sink: c.sink === 'head' ? floats([heads], seed + 6, { constant: true }) : undefined,
    },
    attributes: {
      num_heads: heads,
      kv_num_heads: shared,
      do_rotary: c.rotary ? 1 : undefined,
      rotary_interleaved: c.interleaved ? 1 : undefined,
      local_window_size: c.window,
      softcap: c.softcap === undefined ? undefined : { float: c.softcap },
      smooth_softmax: c.sink === 'smooth' ? 1 : undefined,
      scale: c.scale === undefined ? undefined : { float: c.scale },
    },
    outputs: ['y', 'keys', 'values'],
  });
  // What the kernel computes for padding has no meaning.
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
});
