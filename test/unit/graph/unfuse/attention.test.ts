import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unfuse } from '../../../../src/graph/unfuse/unfuse';
import { runModel } from '../onnx-models';
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

interface Case {
  batch: number;
  tokens: number;
  features: number;
  heads: number;
  size: number;
  valueSize: number;
  unidirectional: boolean;
  filter: number | undefined;
  scale: number | undefined;
  mask: Fed | undefined;
  bias: number[] | undefined;
  seed: number;
}

const small = (max: number) => fc.integer({ min: 1, max });

/** Every form of mask_index that the CPU kernel has. Texts may be empty, and rows without anything to see. */
const masks = (batch: number, tokens: number): fc.Arbitrary<Fed | undefined> => {
  const places = (count: number) =>
    fc.array(fc.integer({ min: 0, max: tokens }), { minLength: count, maxLength: count });
  return fc.oneof(
    fc.constant(undefined),
    places(batch).map((ends) => int32([batch], ends)),
    places(2 * batch).map((both) => int32([2 * batch], both)),
    places(batch).map(cumulative),
    bits([batch, tokens]),
    bits([batch, tokens, tokens]),
    fc.constant(int32([batch, 1], new Array<number>(batch).fill(1))),
    fc.constant(int32([1, 1], [1])),
  );
};

const cases: fc.Arbitrary<Case> = fc
  .record({ batch: small(3), tokens: small(5), heads: small(3), size: small(5), valueSize: small(4) })
  .chain(({ batch, tokens, heads, ...sizes }) =>
    fc.record({
      batch: fc.constant(batch),
      tokens: fc.constant(tokens),
      heads: fc.constant(heads),
      features: small(6),
      size: fc.constant(sizes.size),
      valueSize: fc.oneof(fc.constant(sizes.size), fc.constant(sizes.valueSize)),
      unidirectional: fc.boolean(),
      filter: fc.constantFrom(undefined, -1, -50),
      scale: fc.constantFrom(undefined, 0.3),
      mask: masks(batch, tokens),
      bias: fc.constantFrom(undefined, [1, 1], [1, heads], [batch, 1], [batch, heads]),
      seed: fc.nat(1000),
    }),
  );

async function difference(c: Case): Promise<number> {
  const { batch, tokens, features, heads, size, valueSize } = c;
  const sizes = [heads * size, heads * size, heads * valueSize];
  const all = sizes.reduce((a, b) => a + b);
  const { kernel, plain } = await bothWays({
    op: 'Attention',
    inputs: {
      input: floats([batch, tokens, features], c.seed),
      weights: floats([features, all], c.seed + 1, { constant: true }),
      bias: floats([all], c.seed + 2, { constant: true }),
      mask_index: c.mask,
      past: undefined,
      attention_bias: c.bias && floats([...c.bias, tokens, tokens], c.seed + 3, { size: 2 }),
    },
    attributes: {
      num_heads: heads,
      qkv_hidden_sizes: size === valueSize && c.seed % 2 ? undefined : sizes,
      unidirectional: c.unidirectional ? 1 : undefined,
      mask_filter_value: c.filter === undefined ? undefined : { float: c.filter },
      scale: c.scale === undefined ? undefined : { float: c.scale },
    },
    // The kernel has one only where keys and values are equally long.
    outputs: size === valueSize ? ['y', 'present'] : ['y'],
  });
  if (size === valueSize) expect(largestDifference(kernel, plain, 'present')).toBeLessThan(1e-5);
  return largestDifference(kernel, plain);
}

describe('Attention', () => {
  it("equals ONNX Runtime's kernel", () =>
    check(
      cases,
      async (c) => {
        // A row that only sees padding has scores near −10000, where float32 has steps of 0.001.
        expect(await difference(c)).toBeLessThan(c.filter === undefined ? 3e-3 : 2e-5);
      },
      80,
    ));
});

describe('Attention in forms that the CPU kernel does not have', () => {
  const [batch, tokens] = [2, 3];
  const weights = floats([4, 12], 2, { constant: true });
  const inputs = { input: floats([batch, tokens, 4], 1), weights, bias: floats([12], 3, { constant: true }) };
  const attributes = { num_heads: 2 };
  const run = async (more: Record<string, Fed | undefined>) => {
    const { model, feeds } = fused({ op: 'Attention', inputs: { ...inputs, ...more }, attributes });
    return runModel(unfuse(model), feeds);
  };

  it('takes a mask (batch, 1, longest, longest) as its beginning (batch, tokens, tokens)', async () => {
    const seen = (b: number, i: number, j: number) => ((b + i * 2 + j) % 3 === 0 ? 0 : 1);
    const mask = (size: number) => {
      const places = [...Array(batch * size * size).keys()];
      return places.map((at) => seen(Math.floor(at / size ** 2), Math.floor(at / size) % size, at % size));
    };
    const four = await run({ mask_index: int32([batch, 1, 5, 5], mask(5)) });
    const three = await run({ mask_index: int32([batch, tokens, tokens], mask(tokens)) });
    expect(largestDifference(three, four)).toBe(0);
  });

  it('takes no bias as zeros', async () => {
    const zeros = { dims: [12], values: new Array<number>(12).fill(0), constant: true };
    expect(largestDifference(await run({ bias: zeros }), await run({ bias: undefined }))).toBe(0);
  });
});
