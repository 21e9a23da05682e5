import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import {
  inverseNormal,
  normal,
  permutation,
  permuted,
  philox4x32,
  random,
  uniform,
} from '../../../src/base/random';

const hex = (words: Uint32Array): string =>
  Array.from(words, (w) => w.toString(16).padStart(8, '0')).join(' ');

/** Σ (observed - expected)² / expected */
function chiSquare(counts: number[]): number {
  const expected = counts.reduce((a, b) => a + b) / counts.length;
  return counts.reduce((sum, c) => sum + (c - expected) ** 2 / expected, 0);
}

describe('philox4x32', () => {
  // From Random123's kat_vectors.
  it.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [Array(4).fill(0xffffffff), Array(2).fill(0xffffffff), '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ])('matches the known answers', (counter, key, expected) => {
    const out = new Uint32Array(4);
    philox4x32(counter[0]!, counter[1]!, counter[2]!, counter[3]!, key[0]!, key[1]!, out);
    expect(hex(out)).toBe(expected);
  });
});

describe('random', () => {
  it('equals the first Philox word for up to four keys', () => {
    expect(random(0)).toBe(0x6627e8d5);
    expect(random(0xffffffffffff, -1, -1, -1, -1)).not.toBe(random(0xffffffff, -1, -1, -1, -1));
    expect(random(2 ** 32 * 0x99f31d0 + 0xa4093822, 1)).toBe(random(2 ** 32 * 0x99f31d0 + 0xa4093822, 1, 0));
  });

  it('changes with the seed and with every key, including the fifth and later ones', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(fc.nat(), { minLength: 1, maxLength: 9 }),
        fc.nat(8),
        (seed, keys, at) => {
          const other = keys.with(at % keys.length, keys[at % keys.length]! + 1);
          expect(random(seed, ...other)).not.toBe(random(seed, ...keys));
          expect(random(seed + 1, ...keys)).not.toBe(random(seed, ...keys));
        },
      ),
      { seed: 1 },
    );
  });

  it.each([
    ['along the seed', (i: number) => uniform(i)],
    ['along the first key', (i: number) => uniform(7, i)],
    ['along the sixth key', (i: number) => uniform(7, 1, 2, 3, 4, 5, i)],
  ])('is uniform and free of serial correlation %s', (_, draw) => {
    const pairs = new Array<number>(64).fill(0);
    const n = 16_000;
    for (let i = 0; i < n; i++) pairs[Math.floor(draw(i) * 8) * 8 + Math.floor(draw(i + 1) * 8)]!++;
    // The 0.9999 quantile for 63 degrees of freedom is below 113.
    expect(chiSquare(pairs)).toBeLessThan(113);
  });
});

describe('normal', () => {
  // Expected values from Python's statistics.NormalDist().inv_cdf.
  it.each([
    [1e-15, -7.941345326170995],
    [1e-6, -4.753424308822899],
    [0.0249, -1.9616778690637862],
    [0.075, -1.4395314709384557],
    [0.0751, -1.4388253927525398],
    [0.25, -0.6744897501960817],
    [0.5, 0.0],
    [0.6180339887, 0.30032138525916147],
    [0.975, 1.9599639845400536],
    [0.9999999, 5.199337582290662],
  ])('inverts the distribution function at %f', (p, x) => {
    expect(Math.abs(inverseNormal(p) - x)).toBeLessThan(1e-14 * Math.max(1, Math.abs(x)));
  });

  it('has the moments of a standard normal', () => {
    const n = 20_000;
    const moments = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) for (let k = 1, x = normal(3, i); k <= 4; k++) moments[k - 1]! += x ** k / n;
    expect(Math.abs(moments[0]!)).toBeLessThan(0.03);
    expect(Math.abs(moments[1]! - 1)).toBeLessThan(0.04);
    expect(Math.abs(moments[2]!)).toBeLessThan(0.1);
    expect(Math.abs(moments[3]! - 3)).toBeLessThan(0.25);
  });
});

describe('permuted', () => {
  it('draws each once, in an order of its keys, and the same first ones of all', () => {
    for (const n of [0, 1, 2, 7, 100]) {
      const all = [...permuted(n, 3, 4)];
      expect([...all].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    }
    expect([...permuted(50, 1, 2)]).not.toEqual([...permuted(50, 1, 3)]);
    expect([...permuted(50, 1, 2)]).not.toEqual([...permuted(50, 2, 2)]);
    // A few of very many, without storing all of them.
    const many = permuted(2 ** 40, 1, 2);
    const few = Array.from({ length: 20 }, () => many.next().value!);
    expect(new Set(few).size).toBe(20);
    expect(Math.min(...few)).toBeLessThan(2 ** 38);
    expect(Math.max(...few)).toBeGreaterThan(2 ** 39);
  });

  it('produces every order of four equally often', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 4800; i++) {
      const key = [...permuted(4, 11, i)].join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // As for `permutation` below.
    expect(chiSquare([...counts.values()])).toBeLessThan(56);
  });
});

describe('permutation', () => {
  it('contains every index once and depends only on the seed and the keys', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(), fc.nat(50), (n, seed, epoch) => {
        const order = permutation(n, seed, epoch);
        expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
        expect(permutation(n, seed, epoch)).toEqual(order);
      }),
      { seed: 1 },
    );
    expect(permutation(50, 1, 2)).not.toEqual(permutation(50, 1, 3));
    expect(permutation(50, 1, 2)).not.toEqual(permutation(50, 2, 2));
  });

  it('produces every order of four equally often', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 4800; i++) {
      const key = permutation(4, 11, i).join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // The 0.9999 quantile for 23 degrees of freedom is below 56.
    expect(chiSquare([...counts.values()])).toBeLessThan(56);
  });
});
