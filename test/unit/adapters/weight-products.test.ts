import { parameterCount } from '../../../src/adapters/stored-tensors';
import { describe, expect, it } from 'vitest';
import { layerChange } from '../../../src/adapters/merge';
import { factorization } from '../../../src/adapters/methods/lokr';
import { adapted, layerModel, waves } from './one-layer';

describe('the factors of LoKr', () => {
  it.each([
    [768, -1, 24, 32],
    [3072, -1, 48, 64],
    [127, -1, 1, 127],
    [24, 4, 4, 6],
    [24, 5, 4, 6],
    [24, 10, 4, 6],
    [24, 48, 4, 6],
    [24, 0, 1, 24],
    [36, 8, 6, 6],
    [10, 4, 2, 5],
    [12, 12, 12, 1],
    [1, -1, 1, 1],
    [16, -1, 4, 4],
  ])('of %i with the factor %i are those of PEFT', (size, factor, first, second) => {
    expect(factorization(size, factor)).toEqual([first, second]);
  });

  it.each([
    [{ rank: 5, decomposeFactor: -1 }, 24 * 24 + 5 * 64],
    [{ rank: 16, decomposeFactor: -1 }, 24 * 24 + 32 * 32],
    [{ rank: 11, decomposeFactor: -1, decomposeBoth: true }, 11 * 48 + 11 * 64],
    [{ rank: 12, decomposeFactor: -1, decomposeBoth: true }, 24 * 24 + 12 * 64],
    [{ rank: 5, decomposeFactor: 4 }, 4 * 4 + 5 * 384],
  ])('have %o: %i parameters on 768 × 768', (over, expected) => {
    expect(parameterCount(adapted(layerModel(768, 768), 'lokr', over).adapters)).toBe(expected);
  });
});

it('PEANuT, HiRA, LoHa, LoKr and DeLoRA take ranks above the sizes of a layer, as PEFT does', () => {
  for (const method of ['peanut', 'hira', 'loha', 'lokr', 'delora'] as const)
    expect(adapted(layerModel(7, 5), method, { rank: 9 }).adapters).toHaveLength(1);
  expect(() => adapted(layerModel(7, 5), 'lora', { rank: 9 })).toThrow(/rank 9 is too large/);
});

it('DeLoRA counts norms below 1e-4 as 1e-4, so that it starts without a change', () => {
  const of = adapted(layerModel(4, 3), 'delora', { rank: 1, lambda: 2 });
  const values = waves(of);
  const norm = values.get('dense.norm')!;
  values.set('dense.A', Float32Array.of(1, 0, 0, 0));
  values.set('dense.B', Float32Array.of(2e-5, 0, 0));
  values.set('dense.lambda', Float32Array.of(2));
  const { weight } = layerChange(of.adapter, values);
  expect(weight![0]).toBeCloseTo(2 * 0.2 * norm[0], 6);
  values.set('dense.B', new Float32Array(3));
  expect(Array.from(layerChange(of.adapter, values).weight!, Math.abs)).toEqual(new Array(12).fill(0));
});
