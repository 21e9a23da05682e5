import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import { bothWays, check, floats, largestDifference, type Fed } from './kernel';

const POSITIONS = 9;
const int64 = (dims: number[], values: number[]): Fed => ({ dims, values, dtype: DType.int64 });

const cases = fc
  .record({ batch: fc.integer({ min: 1, max: 3 }), tokens: fc.integer({ min: 1, max: 5 }) })
  .chain(({ batch, tokens }) =>
    fc.record({
      batch: fc.constant(batch),
      tokens: fc.constant(tokens),
      heads: fc.integer({ min: 1, max: 3 }),
      half: fc.integer({ min: 1, max: 4 }),
      /** Features that stay, of each head. */
      rest: fc.constantFrom(0, 2, 4),
      four: fc.boolean(),
      interleaved: fc.nat(1),
      named: fc.boolean(),
      scale: fc.constantFrom(undefined, 1, 0.5),
      ids: fc.oneof(
        fc.integer({ min: 0, max: POSITIONS - tokens }).map((offset) => int64([1], [offset])),
        fc
          .array(fc.nat(POSITIONS - 1), { minLength: batch * tokens, maxLength: batch * tokens })
          .map((places) => int64([batch, tokens], places)),
      ),
      seed: fc.nat(1000),
    }),
  );

describe('RotaryEmbedding', () => {
  it("equals ONNX Runtime's kernel", () =>
    check(
      cases,
      async ({ batch, tokens, heads, half, rest, four, interleaved, named, scale, ids, seed }) => {
        const size = 2 * half + rest;
        const dims = four ? [batch, heads, tokens, size] : [batch, tokens, heads * size];
        const partial = rest > 0;
        const { kernel, plain } = await bothWays({
          op: 'RotaryEmbedding',
          inputs: {
            input: floats(dims, seed),
            position_ids: ids,
            cos_cache: floats([POSITIONS, half], seed + 1, { constant: true }),
            sin_cache: floats([POSITIONS, half], seed + 2, { constant: true }),
          },
          attributes: {
            interleaved,
            num_heads: partial || named ? heads : undefined,
            rotary_embedding_dim: partial ? 2 * half : undefined,
            scale: scale === undefined ? undefined : { float: scale },
          },
        });
        expect(largestDifference(kernel, plain)).toBeLessThan(1e-6);
      },
      60,
    ));
});
