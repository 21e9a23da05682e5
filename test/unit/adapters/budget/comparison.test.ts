import { describe, expect, it } from 'vitest';
import {
  comparedAdapters,
  countOf,
  MULTIPLES,
  possibleAdapters,
} from '../../../../src/adapters/budget/budget-comparison';
import { adapterDefaults } from '../../../../src/experiment/adapter-defaults';
import { methodLabel } from '../../../../src/experiment/run-names';
import { PAPER_MODELS, ROBERTA_BASE } from '../../../../src/recipes/model-shapes';
import {
  aboutMethod,
  type AdapterSpec,
  LAYER_METHODS,
  methodSize,
  type TrainedSpec,
} from '../../../../src/experiment/methods';
import { auroraSpec } from '../../specs';

const { modules } = ROBERTA_BASE;
const compared = (methods: readonly AdapterSpec['method'][], multiples = MULTIPLES, ablations = false) =>
  comparedAdapters(modules, auroraSpec({ excludeModules: ['layer.11'], dropout: 0.1 }), {
    methods,
    multiples,
    ablations,
  });

describe('methods at equal budget', () => {
  it("gives LoRA from 1 to 8 times AuroRA's parameters, on the same modules and with the same scale", () => {
    const [aurora, ...loras] = compared(['aurora', 'lora']);
    expect(aurora).toMatchObject({ method: 'aurora', rank: 2 });
    expect(loras.map((l) => 'rank' in l && [l.rank, 'alpha' in l && l.alpha])).toEqual([
      [2, 4],
      [4, 8],
      [8, 16],
      [16, 32],
    ]);
    for (const lora of loras)
      expect(lora).toMatchObject({
        targetModules: ['query', 'value'],
        excludeModules: ['layer.11'],
        dropout: 0.1,
      });
  });

  it('gives every method at the nearest size that its steps allow', () => {
    const own = countOf(modules, compared([])[0]);
    for (const method of LAYER_METHODS.filter((m) => m !== 'aurora' && aboutMethod(m).size)) {
      const counts = compared([method])
        .slice(1)
        .map((spec) => countOf(modules, spec));
      expect(counts).toHaveLength(4);
      // One rank of LoRA is half of AuroRA's budget here; so is DoRA's magnitude vector.
      counts.forEach((n, i) => expect(Math.abs(n / own - MULTIPLES[i]), method).toBeLessThan(0.3));
    }
    const [, vera, fourier] = [...compared(['vera'], [1]), ...compared(['fourierft'], [1]).slice(1)];
    for (const spec of [vera, fourier]) expect(countOf(modules, spec)).toBe(own);
  });

  it('gives LoKr larger second factors where squares have too few parameters', () => {
    const sizes = compared(['lokr']).slice(1);
    expect(sizes.map((s) => s.method === 'lokr' && [s.decomposeFactor, s.rank])).toEqual([
      [8, 16],
      [8, 32],
      [4, 32],
      [4, 64],
    ]);
  });

  it('gives a method without a size setting once, and no adapter twice', () => {
    expect(compared(['bitfit', 'full', 'none']).map((s) => s.method)).toEqual([
      'aurora',
      'bitfit',
      'full',
      'none',
    ]);
    expect(compared(['lora'], [1, 1.1, 2]).map((s) => 'rank' in s && s.rank)).toEqual([2, 2, 4]);
    const most = compared(['lora'], [1e6]);
    expect(most[1]).toMatchObject({ method: 'lora', rank: 768 });
  });

  it('offers the methods that the layers allow', () => {
    const { modules: llama, targets } = PAPER_MODELS.find((m) => m.id === 'llama3-8b')!;
    const base = auroraSpec({ targetModules: targets });
    const possible = possibleAdapters(llama, base, ['lora', 'oft', 'bitfit', 'none'], [1, 4]);
    // LLaMA's layers have no biases.
    expect([...possible.keys()]).toEqual(['lora', 'oft', 'none']);
    expect(possible.get('lora')!.map(methodSize)).toEqual(['r2', 'r8']);
    expect(possible.get('oft')!.map(methodSize)).toEqual(['b8', 'b32']);
    expect(possible.get('none')!.map(methodSize)).toEqual(['']);
  });

  it('names a number of blocks, which counts instead of their size', () => {
    const spec = { ...adapterDefaults('oft'), blockNum: 8 } as unknown as TrainedSpec;
    expect(methodLabel(spec)).toBe('OFT 8 blocks');
    expect(methodLabel({ ...spec, blockNum: 1 } as TrainedSpec)).toBe('OFT 1 block');
    expect(methodLabel({ ...spec, blockNum: undefined } as TrainedSpec)).toBe('OFT b32');
  });

  it('gives the ablations of AuroRA', () => {
    const parts = compared([], MULTIPLES, true);
    expect(parts).toHaveLength(5);
    expect(parts.slice(1)).toMatchObject([
      { fixed: false },
      { learnable: false },
      { activation: 'leaky-relu' },
      { activation: 'sigmoid' },
    ]);
  });
});
