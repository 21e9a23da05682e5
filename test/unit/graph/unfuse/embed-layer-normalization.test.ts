import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bits, bothWays, check, floats, int32, largestDifference } from './kernel';

const [WORDS, POSITIONS] = [7, 6];

const cases = fc
  .record({ batch: fc.integer({ min: 1, max: 3 }), tokens: fc.integer({ min: 1, max: 5 }) })
  .chain(({ batch, tokens }) => {
    const places = (rows: number, below: number) =>
      fc
        .array(fc.nat(below - 1), { minLength: rows * tokens, maxLength: rows * tokens })
        .map((values) => int32([rows, tokens], values));
    return fc.record({
      ids: places(batch, WORDS),
      segments: fc.option(places(batch, 2), { nil: undefined }),
      mask: fc.option(bits([batch, tokens]), { nil: undefined }),
      positions: fc.oneof(fc.constant(undefined), places(batch, POSITIONS), places(1, POSITIONS)),
      features: fc.integer({ min: 2, max: 6 }),
      epsilon: fc.constantFrom(undefined, 1e-2),
      sum: fc.boolean(),
      seed: fc.nat(1000),
    });
  });

describe('EmbedLayerNormalization', () => {
  it("equals ONNX Runtime's kernel, its count of tokens included", () =>
    check(cases, async ({ ids, segments, mask, positions, features, epsilon, sum, seed }) => {
      const table = (rows: number, more: number) => floats([rows, features], seed + more, { constant: true });
      const outputs = sum ? ['y', 'count', 'sum'] : ['y', 'count'];
      const { kernel, plain } = await bothWays({
        op: 'EmbedLayerNormalization',
        inputs: {
          input_ids: ids,
          segment_ids: segments,
          word_embedding: table(WORDS, 1),
          position_embedding: table(POSITIONS, 2),
          segment_embedding: segments && table(2, 3),
          gamma: floats([features], seed + 4, { constant: true }),
          beta: floats([features], seed + 5, { constant: true }),
          mask,
          position_ids: positions,
        },
        attributes: { epsilon: epsilon === undefined ? undefined : { float: epsilon } },
        outputs,
      });
      for (const name of outputs) expect(largestDifference(kernel, plain, name)).toBeLessThan(1e-5);
    }));
});
