import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unfuse } from '../../../../src/graph/unfuse/unfuse';
import { runModel, type Attributes } from '../onnx-models';
import {
  bits,
  bothWays,
  check,
  cumulative,
  floats,
  fused,
  int32,
  largestDifference,
  type Fed,
} from './kernel';

const small = (max: number) => fc.integer({ min: 1, max });

interface Case {
  batch: number;
  tokens: number;
  keys: number;
  heads: number;
  size: number;
  valueSize: number;
  /** Keys and values of another text, already divided into heads. */
  divided: boolean;
  bias: boolean;
  unidirectional: boolean;
  filter: number | undefined;
  scale: number | undefined;
  mask: Fed | undefined;
  attentionBias: number[] | undefined;
  presents: boolean;
  seed: number;
}

const masks = (batch: number, tokens: number, keys: number): fc.Arbitrary<Fed | undefined> =>
  fc.oneof(
    fc.constant(undefined),
    fc
      .array(fc.integer({ min: 0, max: keys }), { minLength: batch, maxLength: batch })
      .chain((lengths) => fc.constantFrom(int32([batch], lengths), cumulative(lengths))),
    bits([batch, keys]),
    bits([batch, tokens, keys]),
  );

const cases: fc.Arbitrary<Case> = fc
  .record({ batch: small(3), tokens: small(5), other: small(5), self: fc.boolean(), heads: small(3) })
  .chain(({ batch, tokens, other, self, heads }) => {
    const keys = self ? tokens : other;
    return fc.record({
      batch: fc.constant(batch),
      tokens: fc.constant(tokens),
      keys: fc.constant(keys),
      heads: fc.constant(heads),
      size: small(5),
      valueSize: small(4),
      divided: fc.boolean(),
      bias: fc.boolean(),
      unidirectional: fc.boolean(),
      filter: fc.constantFrom(undefined, -1, -50),
      scale: fc.constantFrom(undefined, 0.3),
      mask: masks(batch, tokens, keys),
      attentionBias: fc.constantFrom(undefined, [1, 1], [1, heads], [batch, 1], [batch, heads]),
      presents: fc.boolean(),
      seed: fc.nat(1000),
    });
  });

const attributesOf = (c: Case): Attributes => ({
  num_heads: c.heads,
  unidirectional: c.unidirectional ? 1 : undefined,
  mask_filter_value: c.filter === undefined ? undefined : { float: c.filter },
  scale: c.scale === undefined ? undefined : { float: c.scale },
});

async function difference(c: Case): Promise<number> {
  const { batch, tokens, keys, heads, size, seed } = c;
  const valueSize = c.divided ? size : c.valueSize;
  const fed = (features: number, more: number) =>
    c.divided
      ? floats([batch, heads, keys, features], seed + more)
      : floats([batch, keys, heads * features], seed + more);
  const { kernel, plain } = await bothWays({
    op: 'MultiHeadAttention',
    inputs: {
      query: floats([batch, tokens, heads * size], seed),
      key: fed(size, 1),
      value: fed(valueSize, 2),
      bias:
        c.bias && !c.divided
          ? floats([heads * (2 * size + valueSize)], seed + 3, { constant: true })
          : undefined,
      key_padding_mask: c.mask,
      attention_bias: c.attentionBias && floats([...c.attentionBias, tokens, keys], seed + 4, { size: 2 }),
    },
    attributes: attributesOf(c),
    outputs: c.presents ? ['y', 'keys', 'values'] : ['y'],
  });
  for (const name of c.presents ? ['keys', 'values'] : [])
    expect(largestDifference(kernel, plain, name)).toBeLessThan(1e-6);
  return largestDifference(kernel, plain);
}

describe('MultiHeadAttention', () => {
  it("equals ONNX Runtime's kernel", () =>
    check(
      cases,
      async (c) => {
        expect(await difference(c)).toBeLessThan(c.filter === undefined ? 3e-3 : 2e-5);
      },
      80,
    ));

  it('takes packed projections, which the CPU kernel does not, as separate ones', () =>
    check(
      fc.record({
        tokens: small(4),
        heads: small(3),
        size: small(4),
        bias: fc.boolean(),
        seed: fc.nat(1000),
      }),
      async ({ tokens, heads, size, bias, seed }) => {
        const dims = [2, tokens, heads * size];
        const [q, k, v] = [0, 1, 2].map((i) => floats(dims, seed + i));
        const stacked = (...parts: Fed[]): Fed => ({
          dims: [2, tokens, heads, parts.length, size],
          values: Array.from({ length: 2 * tokens * heads }, (_, at) =>
            parts.map((p) => p.values.slice(at * size, (at + 1) * size)),
          ).flat(2),
        });
        const biases = bias ? floats([3 * heads * size], seed + 3, { constant: true }) : undefined;
        const run = (query: Fed, key?: Fed, value?: Fed) => {
          const inputs = { query, key, value, bias: biases };
          const { model, feeds } = fused({
            op: 'MultiHeadAttention',
            inputs,
            attributes: { num_heads: heads },
          });
          return runModel(unfuse(model), feeds);
        };
        const apart = await run(q, k, v);
        expect(largestDifference(apart, await run(stacked(q, k, v)))).toBeLessThan(1e-6);
        expect(largestDifference(apart, await run(q, stacked(k, v)))).toBeLessThan(1e-6);
      },
      10,
    ));
});
